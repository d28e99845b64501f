"""The API of the page Users: the bound users and their brands, for people who may bind them."""

from datetime import datetime
from itertools import groupby

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel

from pinwheel.clients.memsql import Row, fetch
from pinwheel.core.times import aware
from plugins.web.access import BoundUsersDep, Scope, ViewerDep
from plugins.web.database import DatabaseDep


class UserBrand(BaseModel):
    """A brand that a user sees. ``brand_id``: as text, because a script's numbers are not exact above 2^53."""

    brand_id: str
    name: str | None


class BoundUser(BaseModel):
    """A user who sees only these brands; the others are null for a user of ``PINWHEEL_BRAND_USERS``."""

    user: str
    brands: list[UserBrand]
    reason: str | None = None
    bound_by: str | None = None
    bound_at: datetime | None = None


class BoundList(BaseModel):
    """All bound users, and all brands, those with a name first. ``of_setting``: those that no form can change."""

    users: list[BoundUser]
    of_setting: list[BoundUser]
    brands: list[UserBrand]


def binds(viewer: ViewerDep) -> None:
    """Guard: 403 for a viewer who may not trigger bind_user."""
    if "bind_user" not in viewer.may_trigger():
        raise HTTPException(403, "Only people who may trigger the Dag bind_user may see this.")


router = APIRouter(prefix="/api/users", tags=["users"], dependencies=[Depends(binds)])


@router.get("")
def users(bound: BoundUsersDep, connection: DatabaseDep) -> BoundList:
    """The bound users."""
    names = {row["brand_id"]: row["name"] for row in fetch(connection, "pages/brand_choices", Scope(None).sql())}
    rows = [row for row in fetch(connection, "pages/brand_users") if row["user_name"] not in bound.fixed()]
    return BoundList(
        users=[_user(user, list(of)) for user, of in groupby(rows, key=lambda row: str(row["user_name"]))],
        of_setting=[
            BoundUser(user=user, brands=[_brand(n, names.get(n)) for n in sorted(brands)])
            for user, brands in sorted(bound.fixed().items())
        ],
        brands=[_brand(brand_id, name) for brand_id, name in names.items()],
    )


def _user(user: str, rows: list[Row]) -> BoundUser:
    brands = [_brand(row["brand_id"], row["name"]) for row in rows]
    first = rows[0]
    return BoundUser(
        user=user, brands=brands, reason=first["reason"], bound_by=first["bound_by"], bound_at=aware(first["bound_at"])
    )


def _brand(brand_id: int, name: str | None) -> UserBrand:
    return UserBrand(brand_id=str(brand_id), name=name)
