"""sklearn_results.py CSV - the same scores, given to scikit-learn's GridSearchCV fold by
fold, make the same columns: means, deviations and ranks to the bit."""
import ast
import csv
import math
import sys
import warnings

import numpy
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV

warnings.simplefilter("ignore")  # of scores that are not finite

with open(sys.argv[1], newline="") as file:
    rows = list(csv.DictReader(file))
params = [ast.literal_eval(row["params"]) for row in rows]
folds = sum(key.startswith("split") for key in rows[0])
scores = {
    str(sorted(p.items())): [float(row[f"split{k}_test_score"]) for k in range(folds)]
    for p, row in zip(params, rows)
}


class Given(BaseEstimator):
    """Answers with the score of its parameters on the fold that it is shown."""

    def __init__(self, **given):
        self.__dict__.update(given)

    @classmethod
    def _get_param_names(cls):
        return sorted(params[0])

    def fit(self, x, y=None):
        return self

    def score(self, x, y=None):
        return scores[str(sorted(self.get_params().items()))][int(x[0, 0])]


x = numpy.arange(folds, dtype=float).reshape(-1, 1)
cv = [([i for i in range(folds) if i != k], [k]) for k in range(folds)]
grid = [{key: [value] for key, value in p.items()} for p in params]
search = GridSearchCV(Given(**params[0]), grid, cv=cv, refit=False).fit(x)
expected = search.cv_results_


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


assert set(rows[0]) == set(expected), set(rows[0]) ^ set(expected)
order = [key for key in expected if not key.startswith("param")]
assert [key for key in rows[0] if not key.startswith("param")] == order
for i, row in enumerate(rows):
    assert expected["params"][i] == params[i]
    assert int(row["rank_test_score"]) == expected["rank_test_score"][i], row
    for key in ["mean_test_score", "std_test_score"]:
        assert same(float(row[key]), expected[key][i]), (key, row, expected[key][i])
    for key in params[i]:
        assert str(expected["param_" + key][i]) == str(params[i][key])
        assert row["param_" + key] == str(params[i][key]) or float(row["param_" + key]) == params[i][key]
print(len(rows), "points are the same")
