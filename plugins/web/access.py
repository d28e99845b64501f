"""Access rights: the viewer and what they may see. Every endpoint takes its rights from here.

A user who is bound to brands sees only these, and nothing derived from others. Everybody else sees all brands if
Airflow's auth manager lets them read the pipeline's Dag, and nothing otherwise (ADR 0018).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, cast

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_view
from fastapi import Depends, HTTPException, Query, Request

from pinwheel.core.settings import WebSettings
from plugins.web.bound_users import BoundUsers, NotKnownError

DAGS = (
    "watch_health",
    "control_stream",
    "release_slice",
    "rebuild_tables",
    "silence_alert",
    "bind_user",
    "report_brands",
)  # that the pages have buttons for
READ_BY_ANALYSTS = "merge_events"  # whoever may read this Dag sees every brand's data in its logs anyway
RUN_BY_OPERATORS = "control_stream"
NO_BRAND = (-1,)  # SQL has no empty list; no brand has this id

NOT_KNOWN = "What you may see is not known: the reporting database does not answer. This page retries by itself."
NOTHING = (
    "You may see no brand yet. Ask an operator of Pinwheel: they let you see brands on the page Users, or give you a "
    "role in Airflow that reads the Dag merge_events."
)

Brands = frozenset[int] | None  # None: every brand, and rows without a brand


@dataclass(frozen=True)
class Viewer:
    """The person behind a request."""

    name: str
    brands: Brands
    user: Any = None  # Airflow's user object, for its own permission checks

    def may_trigger(self) -> list[str]:
        """Those of ``DAGS`` that they may trigger; Airflow decides."""
        return [] if self.brands is not None else [dag for dag in DAGS if may_run(self.user, dag)]


@dataclass(frozen=True)
class Scope:
    """The brands that a response covers: those that the viewer asked for and may see."""

    brands: Brands

    def sql(self) -> dict[str, Any]:
        """Parameters of ``(%(all_brands)s = 1 OR brand_id IN %(brands)s)``, the filter of every statement on brands."""
        return {"all_brands": int(self.brands is None), "brands": tuple(sorted(self.brands or ())) or NO_BRAND}

    def sees(self, brand_id: int | None) -> bool:
        """Whether a row of this brand may be shown."""
        return self.brands is None or brand_id in self.brands


def settings_of(request: Request) -> WebSettings:
    """The app's settings."""
    return cast(WebSettings, request.app.state.settings)


SettingsDep = Annotated[WebSettings, Depends(settings_of)]


def bound_users_of(request: Request) -> BoundUsers:
    """The app's bound users."""
    return cast(BoundUsers, request.app.state.bound_users)


BoundUsersDep = Annotated[BoundUsers, Depends(bound_users_of)]


def may_run(user: Any, dag: str) -> bool:
    """Whether Airflow lets a user trigger a Dag."""
    details, entity = DagDetails(id=dag), DagAccessEntity.RUN
    return bool(get_auth_manager().is_authorized_dag(method="POST", access_entity=entity, details=details, user=user))


def may_read(user: Any, dag: str) -> bool:
    """Whether Airflow lets a user read a Dag."""
    return bool(get_auth_manager().is_authorized_dag(method="GET", details=DagDetails(id=dag), user=user))


def viewer(user: GetUserDep, bound: BoundUsersDep) -> Viewer:
    """The viewer; 401 without a login, 503 if it can't be known what they may see."""
    name = str(user.get_name())
    try:
        brands = bound.of(name)
    except NotKnownError:
        if not may_run(user, RUN_BY_OPERATORS):
            raise HTTPException(503, NOT_KNOWN) from None
        return Viewer(name, None, user)  # or nobody could look at what is wrong
    if brands is None and not may_read(user, READ_BY_ANALYSTS):
        brands = frozenset()
    return Viewer(name, brands, user)


ViewerDep = Annotated[Viewer, Depends(viewer)]
BrandQuery = Annotated[int | None, Query(description="Only this brand; default: all that you may see", ge=0)]


def scope(viewer: ViewerDep, brand: BrandQuery = None) -> Scope:
    """The brands to show. A brand that the viewer may not see gets the same 404 as one that does not exist."""
    if brand is None:
        return Scope(viewer.brands)
    return Scope(only(viewer, [brand]))


def only(viewer: Viewer, brands: Iterable[int]) -> frozenset[int]:
    """These brands, if the viewer may see all of them; 404 otherwise."""
    wanted = frozenset(brands)
    hidden = wanted - viewer.brands if viewer.brands is not None else frozenset()
    if hidden:
        raise HTTPException(404, f"There is no brand {min(hidden)} that you may see.")
    return wanted


ScopeDep = Annotated[Scope, Depends(scope)]


def sees_something(viewer: ViewerDep) -> Viewer:
    """Guard of the data's endpoints: 403 for a viewer who may see no brand."""
    if viewer.brands is not None and not viewer.brands:
        raise HTTPException(403, NOTHING)
    return viewer


def sees_all(viewer: ViewerDep) -> Viewer:
    """Guard of endpoints that reveal data of every brand; 403 for a viewer who is bound to brands."""
    if viewer.brands is not None:
        raise HTTPException(403, "Only people who see every brand may see this; you are bound to some brands.")
    return viewer


SeesAllDep = Annotated[Viewer, Depends(sees_all)]


GUARDS = [Depends(requires_access_view(AccessView.PLUGINS)), Depends(viewer)]
