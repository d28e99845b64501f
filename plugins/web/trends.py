"""What is trending now."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/trends", tags=["trends"])
