"""How the pipeline is, and its alerts."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/health", tags=["health"])
