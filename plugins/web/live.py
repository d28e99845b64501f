"""The live globe."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/live", tags=["live"])
