"""Who is asking, and what they may see. The one place that says it: every endpoint gets it from here.

A person named in PINWHEEL_BRAND_USERS is bound to brands: they see these, and nothing that tells of others. Everybody
else who may see Airflow's plugins sees all brands.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, cast

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_view
from fastapi import Depends, HTTPException, Query, Request

from pinwheel.core.settings import WebSettings

ALERTING_DAG = "watch_health"  # who may trigger what sends alerts may send one
NO_BRAND = (-1,)  # SQL has no empty list; no brand has this number

Brands = frozenset[int] | None  # None: every brand, and what has none


@dataclass(frozen=True)
class Viewer:
    """The person behind a request."""

    name: str
    brands: Brands
    user: Any = None  # Airflow's, for its own questions

    @property
    def may_alert(self) -> bool:
        """Whether they may send the test alert."""
        if self.brands is not None:
            return False
        details = DagDetails(id=ALERTING_DAG)
        allowed = get_auth_manager().is_authorized_dag(
            method="POST", access_entity=DagAccessEntity.RUN, details=details, user=self.user
        )
        return bool(allowed)


@dataclass(frozen=True)
class Scope:
    """The brands that an answer is about: what the viewer may see, and asked for."""

    brands: Brands

    def sql(self) -> dict[str, Any]:
        """Parameters for ``(%(all_brands)s = 1 OR brand_id IN %(brands)s)``, which every statement on brands has."""
        return {"all_brands": int(self.brands is None), "brands": tuple(sorted(self.brands or ())) or NO_BRAND}

    def sees(self, brand_id: int | None) -> bool:
        """Whether a row of this brand may be shown."""
        return self.brands is None or brand_id in self.brands


def settings_of(request: Request) -> WebSettings:
    """The app's settings."""
    return cast(WebSettings, request.app.state.settings)


SettingsDep = Annotated[WebSettings, Depends(settings_of)]


def viewer(user: GetUserDep, settings: SettingsDep) -> Viewer:
    """Who is asking; 401 for nobody."""
    name = str(user.get_name())
    return Viewer(name, settings.brand_users.get(name), user)


ViewerDep = Annotated[Viewer, Depends(viewer)]
BrandQuery = Annotated[int | None, Query(description="Only this brand; not given: all that you may see", ge=0)]


def scope(viewer: ViewerDep, brand: BrandQuery = None) -> Scope:
    """What to show; a brand that the viewer may not see is answered like one that does not exist."""
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


def sees_all(viewer: ViewerDep) -> Viewer:
    """For what can't be told without telling of every brand; 403 for who is bound to some."""
    if viewer.brands is not None:
        raise HTTPException(403, "This is for people who see every brand; you see those that you are bound to.")
    return viewer


SeesAllDep = Annotated[Viewer, Depends(sees_all)]


def same_origin(request: Request) -> None:
    """For what changes anything: the session's cookie alone must not do, or another site could send the form.

    Browsers say where a request comes from; programs that sign in by a token say nothing, and have no cookie.
    """
    site = request.headers.get("sec-fetch-site")
    if site is None and request.headers.get("authorization", "").lower().startswith("bearer "):
        return
    if site != "same-origin":
        raise HTTPException(403, "This has to come from Pinwheel's own page, in a browser that says so.")


GUARDS = [Depends(requires_access_view(AccessView.PLUGINS)), Depends(viewer)]
