"""Every model that is fitted, in the order in which a night fits them."""

from orchestration.prediction import lifetime_value

MODELS = (*lifetime_value.MODELS,)
