"""How good the data is."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/quality", tags=["quality"])
