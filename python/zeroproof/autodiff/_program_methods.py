"""What programs have besides the methods of batched functions: their steps, files and C sources."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Union

from ._c_source import c_source
from ._program_format import Portable, to_text


class ProgramMethods:
    """The methods of a program that look at it or write it out."""

    _portable: Portable

    @property
    def name(self) -> str:
        """The name of the function that was traced."""
        return self._portable.name

    def arguments(self) -> list[tuple[str, tuple[int, ...], bool]]:
        """The arrays in the arguments, whose elements are the first nodes, in order.

        Returns:
            For each the name, the shape of what one sample sees, and whether every sample has its
            own.
        """
        return self._portable.traced.program.arguments()

    def steps(self) -> list[tuple[Any, ...]]:
        """The nodes after the elements of the arguments, in order.

        Returns:
            Tuples: ``("constant", value)``; ``("op", name, operands)`` for an operation of one or
            two operands; ``("power", n, operands)`` for one with an int as exponent; ``("fold",
            name, mode, operands)`` for a sum or the like, with the reduction mode;
            ``("condition", predicate, operands)``, 1 or 0; and ``("select", (condition, a, b))``.
            Operands are the numbers of earlier nodes.
        """
        return self._portable.traced.program.steps()

    def outputs(self) -> tuple[int, ...]:
        """The nodes that are the results."""
        return self._portable.traced.program.outputs()

    def native_listing(self) -> str:
        """The machine code of the values and their derivatives by all arguments, in Mask-REAL mode.

        Beside a machine instruction stands the instruction of the compiled program that it and
        those below belong to: ``s`` is an intermediate result, ``u`` a number that is the same for
        every sample, and a number with a colon the vector of the turn. What has no native form is
        listed as comments.

        Raises:
            RuntimeError: where the interpreter runs instead; the error says why.

        Examples:
            >>> import numpy as np
            >>> from zeroproof import native_code, tr_vmap
            >>> program = tr_vmap(lambda x: 1.0 / x).program(np.ones(1))
            >>> not native_code() or "= div(" in program.native_listing()
            True
        """
        program = self._portable.traced.program
        every = list(range(len(program.arguments())))
        single = len(program.outputs()) == 1
        plan = program.gradient(every, None, None) if single else program.jacobian(every, None)
        return plan.native_listing()

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """Writes the program to a file that :func:`load_program` reads, as JSON.

        Args:
            path: the file, which is overwritten.

        Raises:
            TypeError: if a mapping among its arguments or results has a key that is neither a
                string nor an int, or a dataclass a static field that JSON does not have.
            OSError: if the file cannot be written.
        """
        text = to_text(self._portable)
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)

    def to_c(self, name: str = "evaluate") -> str:
        """The source of a C function of one sample's values and derivatives, in Mask-REAL mode.

        The text is C99 that includes ``float.h``, ``math.h``, ``stddef.h``, ``stdint.h`` and
        ``string.h``, and nothing else::

            void NAME(const double *x, double *values, double *gradients, unsigned char *statuses);

        ``x`` holds the elements of all arguments in order, ``values`` takes the outputs,
        ``gradients`` the derivative of each output by each element, a row for each output, and
        ``statuses`` the ``GradientStatus`` flags of these. The last three may be NULL. Compiled
        without contraction of products and sums (``-ffp-contract=off``) and without
        ``-ffast-math``, operations that are exact or correctly rounded have the bits of the engine,
        and elementary functions are those of the C library. Where ``exp``, ``pow``, ``erf`` and
        what is made of them, or the ratio in ``hypot`` and norms, is subnormal or 0, so is the
        factor: a derivative has no more digits than it, and may be 0.

        Args:
            name: the name of the function, a C identifier that none of these headers defines.

        Raises:
            NotImplementedError: if the program has an operation that is not available in C, which
                the error names, or more than 32 768 nodes, operands of folds and outputs.
            TypeError, ValueError: if ``name`` is no C identifier, or one of the headers' names.
        """
        return c_source(self._portable.traced.program, self._portable.name, name)

    def to_onnx(self) -> Any:
        """The values of the program as an ONNX model, for any number of samples.

        Needs the extra ``onnx``. The inputs are the arrays of the arguments in order, of float64,
        those with an axis of samples with that axis in front. For each array of the results there
        are two outputs: ``values`` of float64, ±inf and NaN where a value is not REAL, and
        ``tags``, the codes of ``TRTag`` as uint8. If there are several arrays, their paths stand
        behind: ``values_a`` and ``tags_a``. Names that are no identifiers become such. Values agree
        with the engine's to a few ulp, as far as the operators of the runtime do.

        Returns:
            An ``onnx.ModelProto`` of version 18 of the operators.

        Raises:
            ImportError: without the package onnx.
            NotImplementedError: for an operation that is not available in ONNX, which the error
                names.
        """
        # The module stands above this one, and is loaded when it is asked for.
        return import_module("zeroproof.onnx").model_of(self)
