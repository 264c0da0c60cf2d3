"""What each stage gives, typed. `Outcome` is a whole run's result; metrics.json is the outcome written down.

What a package works out itself has its type there (`Finding`, `TrainingReport`, `SystemCosts`...); here stands what joins them.
"""

from embft.evaluation.figures import (
    ComparisonRow,
    Evaluated,
    General,
    PooledReading,
    QuestionResult,
    QuestionRow,
    Seeds,
    SliceDifference,
    SliceMean,
    SliceRow,
    Spread,
    SystemResult,
)
from embft.results.outcome import Note, Outcome, RunFacts, Timing, Verdict
from embft.results.search_setup import SearchModel, SearchSetup
from embft.results.stages import Asked, Audits, Corpus, Dataset, DatasetReport, QuestionSet, Rankings, Reading, Tuned

__all__ = [
    "Asked",
    "Audits",
    "ComparisonRow",
    "Corpus",
    "Dataset",
    "DatasetReport",
    "Evaluated",
    "General",
    "Note",
    "Outcome",
    "PooledReading",
    "QuestionResult",
    "QuestionRow",
    "QuestionSet",
    "Rankings",
    "Reading",
    "RunFacts",
    "SearchModel",
    "SearchSetup",
    "Seeds",
    "SliceDifference",
    "SliceMean",
    "SliceRow",
    "Spread",
    "SystemResult",
    "Timing",
    "Tuned",
    "Verdict",
]
