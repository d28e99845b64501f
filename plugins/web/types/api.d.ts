// Made from the pages' response models by `python -m tests.support.api_types`; a test compares. Do not edit.
declare namespace Api {
  interface AlertRow {
    alert_id: number;
    name: string;
    subject: string;
    severity: string;
    message: string;
    title: string | null;
    means: string | null;
    do: string | null;
    dag: string | null;
    runbook: string | null;
    raised_at: string;
    resolved_at: string | null;
    silence: Silence | null;
  }
  interface Alerts {
    open: AlertRow[];
    recent: AlertRow[];
    silences: Silence[];
  }
  interface Answer {
    columns: ResultColumn[];
    rows: (string | null)[][];
    cut_by: "rows" | "size" | null;
    seconds: number;
  }
  interface Asked {
    sql: string;
  }
  interface BooksState {
    through: string | null;
    offsets: number;
    differences: string[];
    closed_through: string | null;
  }
  interface BoundList {
    users: BoundUser[];
    of_setting: BoundUser[];
    brands: UserBrand[];
  }
  interface BoundUser {
    user: string;
    brands: UserBrand[];
    reason: string | null;
    bound_by: string | null;
    bound_at: string | null;
  }
  interface BrandHour {
    begin: string;
    today: number | null;
    yesterday: number | null;
    usual: number | null;
  }
  interface BrandToday {
    brand_id: number;
    name: string;
    time_zone: string;
    unknown_zone: string | null;
    day: string;
    complete_through: string | null;
    to: string;
    today: Numbers;
    yesterday: Numbers | null;
    usual: Numbers | null;
    usual_days: number;
    hours: BrandHour[];
    pins: TopPin[];
    categories: TopCategory[];
    countries: Country[];
    trends: Trends;
  }
  interface Broken {
    table: string;
    rule: string;
    rows: number;
    newest_at: string;
  }
  interface Change {
    name: string;
    before: number | null;
    after: number | null;
  }
  interface Choice {
    brand_id: number;
    name: string | null;
  }
  interface Choices {
    brands: Choice[];
    categories: string[];
  }
  interface Complete {
    table: string;
    complete_through: string | null;
    newest: string | null;
  }
  interface CompleteTables {
    now: string;
    tables: Complete[];
  }
  type Confidence = "sure" | "very_sure" | "beyond_doubt";
  interface Country {
    country_code: string;
    engagement: number;
    people: number;
  }
  interface DeadLetters {
    found: Summary;
    days: LetterDay[];
    never: string[];
  }
  interface Driver {
    state: "running" | "restarting" | "stopped" | "unknown";
    since: string | null;
    failures: number;
    restarts_today: number | null;
    stopped_by: string | null;
  }
  interface Error {
    code: string;
    message: string;
  }
  interface ErrorBody {
    error: Error;
  }
  interface Explore {
    person: string;
    seconds: number;
    rows: number;
    file_rows: number;
    tables: Table[];
    questions: Question[];
  }
  interface Failure {
    table: string;
    hour: string;
    measure: string;
    critical: boolean;
    observed: string;
    expected: string;
    sample: Record<string, string>[];
    docs: string | null;
  }
  interface Flow {
    now: string;
    measured_at: string | null;
    away: string[];
    steps: Step[];
    lags: Lag[];
    driver: Driver;
    tables: TableProgress[];
  }
  interface Held {
    slice_id: number;
    table: string;
    rows_read: number;
    audited_at: string | null;
    reasons: string[];
  }
  interface History {
    measure: string;
    title: string;
    unit: string;
    limit: number | null;
    values: (number | null)[];
  }
  interface HourOfRows {
    hour: string;
    rows_read: number;
    quarantined: number;
  }
  interface Lag {
    partition: string;
    records: number | null;
  }
  interface Letter {
    kafka_partition: number;
    kafka_offset: number;
    kafka_timestamp: string;
    detail: string;
    value: string;
  }
  interface LetterDay {
    day: string;
    reasons: Record<string, number>;
    is_all: boolean;
  }
  interface ListedReport {
    brand_id: number;
    brand_name: string;
    first_day: string;
    days: number;
    time_zone: string;
    revision: number;
    made_at: string;
    complete_through: string | null;
    is_complete: boolean;
    verdict: string;
    engagement: number;
    engagement_before: number;
    unique_people: number;
    change_count: number;
    mail: string;
  }
  interface LivePin {
    pin_id: string;
    title: string | null;
  }
  interface LiveUpdate {
    version: number;
    counts: Record<string, number>;
    seconds: number | null;
    one_in: number;
    unplaced: number;
    newest_at: number;
    received_at: number;
    read_at: number;
    places: Places;
    pins: LivePin[];
  }
  interface LogEnd {
    lines: string[];
  }
  interface Me {
    name: string;
    brands: number[] | null;
    may_trigger: string[];
  }
  interface Minutes {
    first: string | null;
    repins: (number | null)[];
    is_counted: boolean;
  }
  interface Numbers {
    engagement: number;
    repins: number;
    comments: number;
    pins: number;
    people: number;
  }
  type Period = "hour" | "day" | "month";
  interface Pin {
    pin_id: string;
    title: string | null;
    description: string | null;
    category: string | null;
    link: string | null;
    image_url: string | null;
    created_at: string | null;
    brand_id: number | null;
    brand_name: string | null;
    repins: number;
    comments: number;
    first_hour: string | null;
    complete_through: string | null;
    shown_from: string;
    shown_to: string;
    hours: PinHour[];
    saves: Saves;
    trend: Trend | null;
    learning_until: string | null;
  }
  interface PinHour {
    hour: string;
    repins: number;
    comments: number;
  }
  interface Places {
    event_type: string[];
    latitude: number[];
    longitude: number[];
    city: (string | null)[];
    country_code: (string | null)[];
    events: number[];
    at: number[];
  }
  interface Problem {
    name: string;
    subject: string;
    message: string;
    raised_at: string;
    resolved_at: string | null;
  }
  interface QuarantinedRow {
    table: string;
    event_id: string | null;
    quarantined_at: string;
    reason: string;
    row: string;
  }
  interface Question {
    name: string;
    purpose: string;
    grain: string;
    sql: string;
  }
  interface Reason {
    reason: string;
    letters: number;
    samples: Letter[];
  }
  interface ReportableDays {
    time_zone: string;
    first_day: string | null;
    kept_from: string | null;
    last_day: string;
  }
  interface Reports {
    day: string | null;
    newest_days: string[];
    reports: ListedReport[];
    has_more: boolean;
  }
  interface ResultColumn {
    name: string;
    kind: "number" | "time" | "text";
  }
  interface Revision {
    brand_id: number;
    brand_name: string;
    first_day: string;
    days: number;
    time_zone: string;
    revision: number;
    made_at: string;
    complete_through: string | null;
    is_complete: boolean;
    verdict: string;
    engagement: number;
    engagement_before: number;
    unique_people: number;
    change_count: number;
    mail: string;
    changes: Change[];
    tables: string[];
  }
  interface Revisions {
    revisions: Revision[];
  }
  interface RowFailures {
    table: string;
    hours: HourOfRows[];
  }
  interface Rows {
    now: string;
    failures: Failure[];
    row_failures: RowFailures[];
    held: Held[];
    broken: Broken[];
    quarantined: QuarantinedRow[];
  }
  interface Saves {
    since: string;
    is_all: boolean;
    boards: number | null;
    people: number | null;
    countries: Country[];
  }
  interface Silence {
    name: string;
    subject: string;
    reason: string;
    silenced_by: string;
    until_at: string;
  }
  interface Step {
    name: string;
    title: string;
    dag: string;
    rows_per_second: number | null;
    newest_age_seconds: number | null;
    backlog: number | null;
    backlog_unit: string;
    unwell: string[];
    is_known: boolean;
    note: string | null;
    last_error: Problem | null;
  }
  interface Summary {
    letters: number;
    since: string | null;
    is_all: boolean;
    reasons: Reason[];
  }
  interface Table {
    name: string;
    is_view: boolean;
    about: string;
    columns: TableColumn[];
  }
  interface TableColumn {
    name: string;
    type: string;
    meaning: string;
  }
  interface TableProgress {
    table: string;
    complete_through: string | null;
    age_seconds: number | null;
    rows_per_second: number | null;
    versions_behind: number | null;
    slices_open: number;
    held_slices: number;
    merged_at: string | null;
  }
  interface TableVerdict {
    table: string;
    hour: string | null;
    checked_at: string | null;
    expectations: number | null;
    critical_unmet: number | null;
    warnings_unmet: number | null;
    slice_id: number | null;
    audited_at: string | null;
    slice_rows: number | null;
    slice_quarantined: number | null;
    held: number;
    docs: string | null;
  }
  interface TopCategory {
    category: string;
    engagement: number;
  }
  interface TopPin {
    pin_id: string;
    title: string | null;
    engagement: number;
    repins: number;
    comments: number;
  }
  interface Trend {
    item: string;
    name: string | null;
    brand_id: number | null;
    since: string;
    repins: number;
    per_minute: number;
    usual_per_minute: number;
    times_usual: number | null;
    chance_log10: number;
    confidence: Confidence;
    minutes: (number | null)[];
  }
  interface Trends {
    as_of: string | null;
    counted_from: string | null;
    learning_until: string | null;
    only_brands: boolean;
    pins: Trend[];
    categories: Trend[];
    brands: Trend[];
    countries: Trend[];
  }
  interface UserBrand {
    brand_id: string;
    name: string | null;
  }
  interface Verdicts {
    now: string;
    tables: TableVerdict[];
  }
  interface Watchers {
    viewers: number;
    max_viewers: number;
  }
}
