"""Packed bags in, one answer per case out."""

from wholecase.models.aggregators import AGGREGATORS, Aggregator
from wholecase.models.backbones import Backbone
from wholecase.models.batch import Answer, Batch, Embedded, Pooled
from wholecase.models.case_model import CaseModel, device_of, trainable
from wholecase.models.checkpoint import (
    load_model,
    load_state,
    load_tensors,
    save_model,
    save_tensors,
)
from wholecase.models.heads import HEADS, Head
from wholecase.models.poolings import POOLINGS, Decided, Pooling
from wholecase.models.predict import Predictions, answers, predict, remember

__all__ = [
    "AGGREGATORS",
    "HEADS",
    "POOLINGS",
    "Aggregator",
    "Answer",
    "Backbone",
    "Batch",
    "CaseModel",
    "Decided",
    "Embedded",
    "Head",
    "Pooled",
    "Pooling",
    "Predictions",
    "answers",
    "device_of",
    "load_model",
    "load_state",
    "load_tensors",
    "predict",
    "remember",
    "save_model",
    "save_tensors",
    "trainable",
]
