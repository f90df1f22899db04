"""The regressor as scikit-learn wants it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest


def data() -> tuple[Any, Any]:
    x = np.random.default_rng(0).uniform(-2, 2, (300, 2))
    return x, np.stack([1 + x[:, 0], x[:, 1]], axis=1) / (x[:, 0] - x[:, 1])[:, None]


def test_without_scikit_learn_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['sklearn'] = None; import zeroproof.sklearn"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 'pip install "zeroproof-autodiff[sklearn]"' in done.stderr


class TestRegressor:
    @pytest.fixture(autouse=True)
    def _needs_scikit_learn(self) -> None:
        pytest.importorskip("sklearn", reason="scikit-learn is not installed")

    @pytest.mark.filterwarnings("ignore")  # its checks warn by themselves, of skipped checks too
    @pytest.mark.parametrize("settings", [{}, {"method": "adam", "epochs": 30, "lr": 0.05}])
    def test_the_checks_of_scikit_learn(self, settings: Any) -> None:
        from sklearn.utils.estimator_checks import check_estimator

        from zeroproof.sklearn import RationalRegressor

        results = check_estimator(RationalRegressor(**settings), on_skip=None)
        passed = [result for result in results if result["status"] == "passed"]
        assert len(passed) > 30
        assert {result["check_name"] for result in results if result["status"] == "failed"} == set()

    def test_it_is_the_model(self) -> None:
        from zeroproof.sklearn import RationalRegressor

        x, y = data()
        fitted = RationalRegressor((1, 1), random_state=0).fit(x, y)
        assert np.abs(fitted.predict(x) - y).max() < 1e-10 * np.abs(y).max()
        np.testing.assert_array_equal(fitted.predict(x), fitted.model_.predict(x))
        single = RationalRegressor((1, 1), random_state=0).fit(x, y[:, 0])
        assert single.predict(x).shape == (300,)
        assert single.score(x, y[:, 0]) > 1 - 1e-15
        assert single.n_iter_ == single.history_.epochs

    def test_in_a_pipeline_and_a_grid_search(self) -> None:
        from sklearn.model_selection import GridSearchCV
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        from zeroproof.sklearn import RationalRegressor

        x, y = data()
        pipeline = make_pipeline(StandardScaler(), RationalRegressor(random_state=0))
        grid = {"rationalregressor__degree": [(1, 0), (1, 1)]}
        search = GridSearchCV(pipeline, grid, cv=3).fit(x, y)
        assert search.best_params_ == {"rationalregressor__degree": (1, 1)}
        assert search.best_score_ > 1 - 1e-15

    def test_sigma_and_bad_settings(self) -> None:
        from zeroproof.sklearn import RationalRegressor

        x, y = data()
        with pytest.raises(ValueError, match="sigma must be positive"):
            RationalRegressor().fit(x, y, sigma=0.0)
        with pytest.raises(ValueError, match="degree must be a pair"):
            RationalRegressor(degree=3).fit(x, y)  # type: ignore[arg-type]
