"""Every model that is fitted, in the order in which a night fits them."""

from orchestration.prediction import lifetime_value
from orchestration.prediction.behaviour_clusters import BEHAVIOUR_CLUSTER

MODELS = (*lifetime_value.MODELS, BEHAVIOUR_CLUSTER)
