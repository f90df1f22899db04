"""Masks of batches, and the alarm."""

from __future__ import annotations

import asyncio
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zeroproof as zp
from support.gradients import mode_block
from support.values import INF, NAN
from zeroproof import MaskedSamplesWarning, SampleMask, TRTag, alarm, tr_vmap
from zeroproof.autodiff import GradientMode, HybridGradientContext


def quotient(w: Any, x: Any) -> Any:
    return w / x


def root_of(x: Any) -> Any:
    return zp.tr_sqrt(x)


def loss(w: Any, x: Any, y: Any) -> Any:
    difference = w[0] / x + w[1] * zp.tr_log(x) - y
    return difference * difference


def place(function: Any, below: int = 1) -> str:
    return f"{Path(__file__).name}:{function.__code__.co_firstlineno + below}"


def mask_of(function: Any, *args: Any, in_axes: Any = 0, **keywords: Any) -> SampleMask:
    apply = tr_vmap(function, in_axes=in_axes)
    mask = apply.value_and_grad(*args, with_mask=True, **keywords)[-1]
    assert isinstance(mask, SampleMask)
    return mask


class TestMask:
    @pytest.mark.parametrize("reduce", [None, "sum", "mean"])
    def test_what_is_left_out_and_why(self, reduce: Any) -> None:
        x = [2.0, 0.0, -0.0, INF, NAN, 0.0]
        mask = mask_of(quotient, 1.0, x, in_axes=(None, 0), reduce=reduce)
        assert mask.kept.tolist() == [True, False, False, True, False, False]
        assert mask.tags.tolist() == [0, 1, 2, 0, 3, 1]
        dtypes = [str(array.dtype) for array in (mask.kept, mask.tags, mask.dropped)]
        assert dtypes == ["bool", "uint8", "bool"]
        assert mask.left_out.tolist() == [1, 2, 4, 5]
        assert not mask.dropped.any()
        where = place(quotient)
        reasons = [
            "",
            f"w / x at {where} gave 1.0 ÷ 0.0 = +∞ in sample 1",
            f"w / x at {where} gave 1.0 ÷ -0.0 = −∞ in sample 2",
            "",
            "its value is PHI because an argument is not REAL",
            f"w / x at {where} gave ±∞",
        ]
        assert [mask.why(sample) for sample in range(6)] == reasons
        assert [mask.why(sample) for sample in range(-6, 0)] == reasons
        assert mask.why(np.int64(1)) == reasons[1]
        assert str(mask) == (f"4 of 6 samples left out\n  2 × {reasons[1]}\n  1 × {reasons[2]}")
        assert repr(mask) == "<SampleMask: 4 of 6 samples left out>"
        assert [found.samples for found in mask.occurrences] == [(1, 5), (2,)]

    @pytest.mark.parametrize("sample", [-3, 2, 1000])
    def test_there_is_no_such_sample(self, sample: int) -> None:
        mask = mask_of(root_of, [1.0, 2.0])
        with pytest.raises(IndexError, match=f"there is no sample {sample} among 2"):
            mask.why(sample)

    @pytest.mark.parametrize("reduce", [None, "sum", "mean"])
    def test_incomplete_gradients(self, reduce: Any) -> None:
        mask = mask_of(root_of, [1.0, 0.0, -1.0, 0.0], reduce=reduce)
        assert mask.kept.tolist() == [True, True, False, True]
        assert mask.dropped.tolist() == [False, True, False, True]
        text = f"zp.tr_sqrt(x) at {place(root_of)}"
        assert mask.why(0) == ""
        assert mask.why(1) == f"{text} gave sqrt(0.0) = 0.0 in sample 1"
        assert mask.why(2) == f"{text} gave sqrt(-1.0) = Φ in sample 2"
        assert mask.why(3) == f"{text} dropped a contribution that was not REAL"
        assert str(mask).splitlines() == [
            "1 of 4 samples left out, 2 with an incomplete gradient",
            f"  1 × {mask.why(2)}",
            f"  2 × {mask.why(1)}",
        ]

    def test_modes_decide_what_is_incomplete(self) -> None:
        with mode_block(GradientMode.SATURATING, 1.0):
            assert not mask_of(root_of, [0.0]).dropped.any()

    def test_only_causes_are_told(self) -> None:
        def safe(x: Any, y: Any) -> Any:
            return zp.tr_where(zp.tr_equal(x, 0.0), y, 1.0 / x) + 1.0 / (1.0 / x + 1.0)

        mask = mask_of(safe, [0.0, 0.0, 1.0, -1.0], [1.0, NAN, 1.0, 1.0])
        assert mask.kept.tolist() == [True, False, True, False]
        assert mask.why(1) == "its value is PHI because an argument is not REAL"
        why = mask.why(3)  # where Python tells columns, with the expression
        assert "1.0 ÷ 0.0 = +∞" in why
        assert why.endswith("in sample 3")
        assert [found.samples for found in mask.occurrences] == [(3,)]

    @pytest.mark.parametrize("samples", [0, 1])
    @pytest.mark.parametrize("reduce", [None, "mean"])
    def test_small_batches(self, samples: int, reduce: Any) -> None:
        mask = mask_of(root_of, np.full(samples, -1.0), reduce=reduce)
        assert mask.kept.tolist() == [False] * samples
        assert str(mask).splitlines()[0] == f"{samples} of {samples} samples left out"
        assert len(mask.occurrences) == samples

    @pytest.mark.parametrize("argnums", [0, (0, 1), (2, 0), (-1, 1, 0)])
    @pytest.mark.parametrize("reduce", [None, "mean"])
    def test_shared_and_own_arguments(self, argnums: Any, reduce: Any) -> None:
        w, y = np.array([1.0, 2.0]), np.array([1.0, 0.0, 3.0, INF])
        x = np.array([1.0, 0.0, -1.0, 2.0])
        apply = tr_vmap(loss, in_axes=(None, 0, 0))
        plain = apply.value_and_grad(w, x, y, argnums=argnums, reduce=reduce, with_status=True)
        *masked, mask = apply.value_and_grad(
            w, x, y, argnums=argnums, reduce=reduce, with_status=True, with_mask=True
        )
        for one, other in zip(_flat(plain), _flat(masked)):
            assert one.tobytes() == other.tobytes()
        assert mask.kept.tolist() == [True, False, False, False]
        assert [found.kind for found in mask.occurrences] == ["inf", "phi"]
        assert [found.samples for found in mask.occurrences] == [(1,), (1, 2)]
        assert mask.why(2) == f"zp.tr_log(x) at {place(loss)} gave Φ"
        assert mask.why(3) == "its value is PINF because an argument is not REAL"

    def test_with_out(self) -> None:
        out = (np.empty(3), np.empty(3))
        values, gradients, mask = tr_vmap(root_of).value_and_grad(
            [4.0, -1.0, 0.0], with_mask=True, out=out
        )
        assert gradients is out[1]
        assert np.array_equal(mask.tags, values.tags)
        assert out[1].tolist() == [0.25, 0.0, 0.0]
        assert mask.dropped.tolist() == [False, False, True]

    def test_strided_and_mapped_inputs(self, tmp_path: Path) -> None:
        numbers = np.array([1.0, -1.0, 0.0, 9.0, -4.0, 5.0])
        mapped = np.memmap(tmp_path / "numbers", dtype=np.float64, mode="w+", shape=(6,))
        mapped[:] = numbers
        expected = mask_of(root_of, numbers[::2].copy())
        for x in (numbers[::2], mapped[::2], zp.TRArray(numbers[::2])):
            mask = mask_of(root_of, x)
            assert mask.tags.tolist() == expected.tags.tolist()
            assert mask.dropped.tolist() == expected.dropped.tolist() == [False, True, False]
            assert str(mask).split(" in sample") == str(expected).split(" in sample")
        assert mask_of(root_of, mapped).left_out.tolist() == [1, 4]

    def test_a_mask_counts_nothing(self) -> None:
        apply = tr_vmap(lambda x: zp.tr_sqrt(x) + 1.0 / x)
        x = np.array([0.0, -1.0, 0.05, 2.0])
        counted = []
        for with_mask in (False, True):
            HybridGradientContext.reset_statistics()
            with mode_block(GradientMode.HYBRID, 1.0, 0.1):
                apply.value_and_grad(x, with_mask=with_mask)
                counted.append(HybridGradientContext.get_statistics())
        assert counted[0] == counted[1]

    def test_a_million_samples(self) -> None:
        x = np.ones(1_000_000)
        x[::100] = -1.0
        mask = mask_of(root_of, x, reduce="mean")
        assert np.array_equal(mask.left_out, np.arange(0, 1_000_000, 100))
        assert mask.occurrences[0].samples == tuple(range(0, 1_000_000, 100))
        assert [mask.why(sample) != "" for sample in (0, 1, -100, -1)] == [True, False, True, False]


def _flat(results: Any) -> list[Any]:
    if isinstance(results, (tuple, list)):
        return [item for result in results for item in _flat(result)]
    if isinstance(results, zp.TRArray):
        return [results.to_ieee()]
    return [np.asarray(float(results)) if isinstance(results, zp.TRScalar) else results]


APPLY = tr_vmap(quotient, in_axes=(None, 0))


def call(zeros: int, samples: int = 10, **keywords: Any) -> Any:
    x = np.ones(samples)
    x[:zeros] = 0.0
    return APPLY.value_and_grad(1.0, x, **keywords)


class TestAlarm:
    @pytest.mark.parametrize("reduce", [None, "sum", "mean"])
    def test_the_text_and_the_place(self, reduce: Any) -> None:
        with alarm(max_masked=0.1):
            call(1, reduce=reduce)
            with pytest.warns(MaskedSamplesWarning) as caught:
                call(2, reduce=reduce)
            call(3, reduce=reduce)  # the block has warned
        (warning,) = caught
        assert str(warning.message) == (
            "2 of 10 samples (20%) are left out because their value is not REAL; "
            f"2 × w / x at {place(quotient)} gave 1.0 ÷ 0.0 = +∞ in sample 0"
        )
        assert warning.filename == __file__
        assert warning.lineno == call.__code__.co_firstlineno + 3

    @pytest.mark.parametrize(
        ("limit", "zeros", "warns"),
        [(0, 0, 0), (0, 1, 1), (0.5, 5, 0), (0.5, 6, 1), (1, 10, 0), (1.0, 9, 0)],
    )
    def test_limits(self, limit: float, zeros: int, warns: int) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with alarm(limit) as waiting:
                call(zeros)
        assert len(caught) == warns
        assert waiting.warned is bool(warns)

    def test_an_empty_batch_alarms_nobody(self) -> None:
        with alarm(0):
            call(0, samples=0, reduce="mean")

    @pytest.mark.parametrize("wrong", [-0.1, 1.5, NAN, INF])
    def test_limits_are_checked(self, wrong: float) -> None:
        with pytest.raises(ValueError, match=f"a share between 0 and 1, not {wrong}"):
            alarm(wrong)

    @pytest.mark.parametrize("wrong", ["0.1", None, [0.1]])
    def test_limits_are_numbers(self, wrong: Any) -> None:
        with pytest.raises(TypeError):
            alarm(wrong)

    def test_every_block_warns_anew(self) -> None:
        waiting = alarm(0.0)
        assert repr(waiting) == "alarm(max_masked=0.0)"
        for _ in range(2):
            with waiting:
                with pytest.warns(MaskedSamplesWarning):
                    call(1)
                call(1)
        call(1)

    def test_nested_blocks(self) -> None:
        with alarm(0.5) as outer, alarm(0.1) as inner:
            with pytest.warns(MaskedSamplesWarning):
                call(2)
            assert (outer.warned, inner.warned) == (False, True)
            with pytest.warns(MaskedSamplesWarning):
                call(8)
            assert outer.warned

    def test_one_warning_for_all_who_wait(self) -> None:
        with alarm(0.1), alarm(0.2), pytest.warns(MaskedSamplesWarning) as caught:
            call(9)
        assert len(caught) == 1

    def test_an_alarm_that_is_an_error_loses_nothing(self) -> None:
        out = (np.empty(10), np.empty(10))
        expected = call(3)
        HybridGradientContext.reset_statistics()
        with mode_block(GradientMode.HYBRID), alarm(0.1) as waiting:
            with pytest.raises(MaskedSamplesWarning):  # pytest turns warnings into errors
                call(3, argnums=1, out=out)
            assert waiting.warned
            assert HybridGradientContext.get_statistics()["total_gradient_calls"] == 10
            assert np.array_equal(out[0], expected[0].to_ieee())
            assert out[1].tolist() == [0.0] * 3 + [-1.0] * 7
            values, _, mask = call(3, with_mask=True)
        assert np.array_equal(values.tags, expected[0].tags)
        assert mask.left_out.tolist() == [0, 1, 2]

    def test_values_and_jacobians_alarm_nobody(self) -> None:
        with alarm(0):
            APPLY(1.0, [0.0])
            APPLY.jacobian(1.0, [0.0])

    def test_a_mask_does_not_change_the_alarm(self) -> None:
        with alarm(0.1), pytest.warns(MaskedSamplesWarning):
            mask = call(2, with_mask=True)[-1]
        assert mask.left_out.tolist() == [0, 1]

    def test_only_three_causes_are_told(self) -> None:
        def many(x: Any) -> Any:
            return 1.0 / x + zp.tr_log(-x) + x**-2 + zp.tr_log(x) + (1.0 / x)

        with alarm(0), pytest.warns(MaskedSamplesWarning) as caught:
            tr_vmap(many).value_and_grad([0.0])
        assert str(caught[0].message).count(" × ") == 3

    def test_threads_and_tasks_have_their_own(self) -> None:
        def quiet() -> None:
            call(9)

        async def late(go: asyncio.Event) -> None:
            await go.wait()
            call(9)

        async def main() -> None:
            go = asyncio.Event()
            with alarm(0):
                task = asyncio.create_task(late(go))
                await asyncio.sleep(0)
            go.set()
            await task  # the block that began it is over

        with alarm(0):
            thread = threading.Thread(target=quiet)
            thread.start()
            thread.join()
        asyncio.run(main())

    def test_an_exception_ends_the_block(self) -> None:
        def fail() -> None:
            with alarm(0):
                raise KeyError("other")

        with pytest.raises(KeyError):
            fail()
        call(9)


def test_tags_are_those_of_the_enum() -> None:
    mask = mask_of(quotient, [1.0, 1.0, -1.0, 0.0], [1.0, 0.0, 0.0, 0.0])
    assert [TRTag(tag) for tag in mask.tags] == [TRTag.REAL, TRTag.PINF, TRTag.NINF, TRTag.PHI]
