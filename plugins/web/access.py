"""Access rights: the viewer and what they may see. Every endpoint takes its rights from here.

A person named in PINWHEEL_BRAND_USERS is bound to brands: they see only these, and nothing derived from others. Every
other person who may see Airflow's plugins sees all brands.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, cast

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_view
from fastapi import Depends, HTTPException, Query, Request

from pinwheel.core.settings import WebSettings

DAGS = (
    "watch_health",
    "control_stream",
    "release_slice",
    "rebuild_tables",
    "silence_alert",
)  # that the pages have buttons for
NO_BRAND = (-1,)  # SQL has no empty list; no brand has this id

Brands = frozenset[int] | None  # None: every brand, and rows without a brand


@dataclass(frozen=True)
class Viewer:
    """The person behind a request."""

    name: str
    brands: Brands
    user: Any = None  # Airflow's user object, for its own permission checks

    def may_trigger(self) -> list[str]:
        """Those of ``DAGS`` that they may trigger; Airflow decides."""
        return [] if self.brands is not None else [dag for dag in DAGS if self._may_run(dag)]

    def _may_run(self, dag: str) -> bool:
        details, entity = DagDetails(id=dag), DagAccessEntity.RUN
        return bool(
            get_auth_manager().is_authorized_dag(method="POST", access_entity=entity, details=details, user=self.user)
        )


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


def viewer(user: GetUserDep, settings: SettingsDep) -> Viewer:
    """The viewer; 401 without a login."""
    name = str(user.get_name())
    return Viewer(name, settings.brand_users.get(name), user)


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


def sees_all(viewer: ViewerDep) -> Viewer:
    """Guard of endpoints that reveal data of every brand; 403 for a viewer who is bound to brands."""
    if viewer.brands is not None:
        raise HTTPException(403, "Only people who see every brand may see this; you are bound to some brands.")
    return viewer


SeesAllDep = Annotated[Viewer, Depends(sees_all)]


GUARDS = [Depends(requires_access_view(AccessView.PLUGINS)), Depends(viewer)]
