"""The synthetic retailer behind `segments generate`."""

from orchestration.synthetic.generate import GenerationReport, generate

__all__ = ["GenerationReport", "generate"]
