"""### Let a user see only some brands

**What** From then on the user sees these brands on Pinwheel's pages, and nothing else: no other brand, no Explore, and
nothing of Airflow itself. It follows within half a minute. Without brands, the user is bound to none any more, and sees
what their role in Airflow allows.

**When** By hand only: when somebody of a brand gets a login, or their brands change. The page Users has a form for it.

**Re-running** Safe: it writes the same again.

**When not to use** To make the login: Airflow's auth manager does that. For users in `PINWHEEL_BRAND_USERS`: the
setting counts.

**Runbook** `docs/runbooks/bind_user.md`
"""

from airflow.sdk import Param, dag, get_current_context, task

from pinwheel.operate.asker import asked_by
from pinwheel.operate.refusal import refusing


@dag(
    schedule=None,
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "users", "by hand"],
    default_args={"owner": "data-engineering", "retries": 0},
    params={
        "user": Param(
            "",
            type="string",
            maxLength=255,
            title="User",
            description="The name that they sign in to Airflow with.",
        ),
        "brand_ids": Param(
            None,
            type=["null", "string"],
            pattern=r"^\s*\d+(\s*,\s*\d+)*\s*$",
            title="Brands",
            description="All brands that they see, by id, separated by commas: 3, 17. Empty: bound to none any more.",
        ),
        "reason": Param("", type="string", maxLength=255, title="Reason", description="For whoever asks later."),
    },
)
def bind_user() -> None:
    """Wire the one task."""

    @task
    @refusing()
    def bind() -> str:
        """Bind them; returns what they see now."""
        from pinwheel.operate.brand_users import bind_by_form

        context = get_current_context()
        return bind_by_form(context["params"], asked_by(context))

    bind()


bind_user()
