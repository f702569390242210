"""Packed bags in, one answer per case out."""

from wholecase.models.aggregators import AGGREGATORS, Aggregator
from wholecase.models.along import SEQUENCES, Recurrent, Smoothing
from wholecase.models.backbones import BACKBONES, MAPS, WHOLE, Backbone, Mapped, mapped
from wholecase.models.batch import Answer, Batch, Embedded, Pooled
from wholecase.models.case_model import CaseModel, device_of, trainable
from wholecase.models.checkpoint import (
    facts_of_model,
    load_model,
    load_state,
    load_tensors,
    save_model,
    save_tensors,
)
from wholecase.models.covariates import Covariates
from wholecase.models.deciders import is_each_alone
from wholecase.models.export import Exported, export_onnx
from wholecase.models.graph import Calibrated
from wholecase.models.heads import HEADS, Head
from wholecase.models.heads.metric_losses import loss_table
from wholecase.models.inputs import INPUTS, LIGHT, Input
from wholecase.models.monte_carlo import PASSES, dropped_answers, layers_that_drop
from wholecase.models.numbers import as_float
from wholecase.models.poolings import POOLINGS, Decided, Pooling
from wholecase.models.precision import PRECISIONS, check_precision, lowered
from wholecase.models.predict import (
    answered,
    answers,
    case_means,
    each_alone,
    each_told,
    past_network,
    past_part,
    predict,
    remember,
)
from wholecase.models.quantise import Quantised, quantise
from wholecase.models.segments import segment_softmax, segment_sum

__all__ = [
    "AGGREGATORS",
    "BACKBONES",
    "HEADS",
    "INPUTS",
    "LIGHT",
    "MAPS",
    "PASSES",
    "POOLINGS",
    "PRECISIONS",
    "SEQUENCES",
    "WHOLE",
    "Aggregator",
    "Answer",
    "Backbone",
    "Batch",
    "Calibrated",
    "CaseModel",
    "Covariates",
    "Decided",
    "Embedded",
    "Exported",
    "Head",
    "Input",
    "Mapped",
    "Pooled",
    "Pooling",
    "Quantised",
    "Recurrent",
    "Smoothing",
    "answered",
    "answers",
    "as_float",
    "case_means",
    "check_precision",
    "device_of",
    "dropped_answers",
    "each_alone",
    "each_told",
    "export_onnx",
    "facts_of_model",
    "is_each_alone",
    "layers_that_drop",
    "load_model",
    "load_state",
    "load_tensors",
    "loss_table",
    "lowered",
    "mapped",
    "past_network",
    "past_part",
    "predict",
    "quantise",
    "remember",
    "save_model",
    "save_tensors",
    "segment_softmax",
    "segment_sum",
    "trainable",
]
