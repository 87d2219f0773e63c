"""Numba's CUDA target: the intrinsics of `shim`, as LLVM code. Nothing else imports `numba.cuda`."""

from typing import Any

from llvmlite import ir
from numba import types

from fastcnn.errors import DeviceError

try:  # numba-cuda, or numba's own target, which compiles little but can be imported
    from numba import cuda
    from numba.cuda.extending import intrinsic
except ImportError as error:
    raise DeviceError(f"cuda: expected the package numba-cuda, got {error}; pip install 'fastcnn[cuda]'") from None

_VECTOR = ir.VectorType(ir.FloatType(), 4)
_LANES = [ir.Constant(ir.IntType(32), n) for n in range(4)]


def inlined(function: Any) -> Any:
    """Compile a function as a part of the kernels that call it."""
    return cuda.jit(device=True, forceinline=True)(function)


def _address(context: Any, builder: Any, args: Any, kinds: Any) -> Any:
    """Return the address of an element, of a pointer or of an array in shared or local memory."""
    array, index = args[:2]
    base = array if isinstance(kinds[0], types.CPointer) else context.make_array(kinds[0])(context, builder, array).data
    return builder.gep(base, [context.cast(builder, index, kinds[1], types.int64)], inbounds=True)


@intrinsic
def load1(typingctx: Any, array: Any, index: Any) -> Any:
    """Return ``array[index]``, without the question whether the index is negative."""
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_address(context, builder, args, signature.args))

    return array.dtype(array, index), codegen


@intrinsic
def load4(typingctx: Any, array: Any, index: Any) -> Any:
    """Return four float32 by one instruction."""
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        at = _address(context, builder, args, signature.args)
        value = builder.load(builder.bitcast(at, _VECTOR.as_pointer()))
        value.align = 16
        return context.make_tuple(builder, signature.return_type,
                                  [builder.extract_element(value, lane) for lane in _LANES])

    return types.UniTuple(types.float32, 4)(array, index), codegen


@intrinsic
def store4(typingctx: Any, array: Any, index: Any, p: Any, q: Any, r: Any, s: Any) -> Any:
    """Write four float32 by one instruction."""
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        at = _address(context, builder, args, signature.args)
        value = ir.Constant(_VECTOR, ir.Undefined)
        for lane, number in zip(_LANES, args[2:], strict=True):
            value = builder.insert_element(value, number, lane)
        builder.store(value, builder.bitcast(at, _VECTOR.as_pointer()), align=16)
        return context.get_dummy_value()

    return types.void(array, index, *[types.float32] * 4), codegen


def _narrow(context: Any, builder: Any, args: Any, kinds: Any) -> list[Any]:
    return [context.cast(builder, one, kind, types.int32) for one, kind in zip(args, kinds, strict=True)]


@intrinsic
def div(typingctx: Any, a: Any, b: Any) -> Any:
    """Return a // b of numbers of 32 bits that are not negative."""
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.udiv(*_narrow(context, builder, args, signature.args))

    return types.int32(a, b), codegen


@intrinsic
def rem(typingctx: Any, a: Any, b: Any) -> Any:
    """Return a % b of numbers of 32 bits that are not negative."""
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.urem(*_narrow(context, builder, args, signature.args))

    return types.int32(a, b), codegen


@intrinsic
def within(typingctx: Any, i: Any, n: Any) -> Any:
    """Return whether 0 <= i < n, of numbers of 32 bits: a negative one is large without its sign."""
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.icmp_unsigned("<", *_narrow(context, builder, args, signature.args))

    return types.boolean(i, n), codegen


_FLOAT, _WORD = ir.FloatType(), ir.IntType(32)
_FOUR_SUMS = ("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {$0,$1,$2,$3}, {$4,$5,$6,$7}, {$8,$9}, "
              "{$10,$11,$12,$13};")


@intrinsic
def tf32(typingctx: Any, x: Any) -> Any:
    """Return x rounded to what a tensor core reads of a float32: 10 bits of mantissa."""
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        rounded = ir.InlineAsm(ir.FunctionType(_WORD, [_FLOAT]), "cvt.rna.tf32.f32 $0, $1;", "=r,f")
        return builder.bitcast(builder.call(rounded, args), _FLOAT)

    return types.float32(types.float32), codegen


@intrinsic
def _mma(typingctx: Any, c0: Any, c1: Any, c2: Any, c3: Any, a0: Any, a1: Any, a2: Any, a3: Any, b0: Any,
         b1: Any) -> Any:
    """Return a lane's four of a warp's 16 x 8 sums plus 16 x 8 of A times 8 x 8 of B, on a tensor core."""
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.LiteralStructType([_FLOAT] * 4), [_WORD] * 6 + [_FLOAT] * 4)
        assembly = ir.InlineAsm(kind, _FOUR_SUMS, "=f,=f,=f,=f,r,r,r,r,r,r,f,f,f,f", side_effect=True)
        found = builder.call(assembly, [*(builder.bitcast(one, _WORD) for one in args[4:]), *args[:4]])
        return context.make_tuple(builder, signature.return_type, [builder.extract_value(found, n) for n in range(4)])

    return types.UniTuple(types.float32, 4)(*[types.float32] * 10), codegen


@inlined
def mma_grid(sums: Any, a: Any, b: Any) -> None:
    """Add 8 terms to a warp's 4 x 4 tiles of 16 x 8 sums: 4 tiles of A times 4 of B."""
    for i in range(4):
        for j in range(4):
            at = (i * 4 + j) * 4
            sums[at], sums[at + 1], sums[at + 2], sums[at + 3] = _mma(
                sums[at], sums[at + 1], sums[at + 2], sums[at + 3], a[i * 4], a[i * 4 + 1], a[i * 4 + 2], a[i * 4 + 3],
                b[j * 2], b[j * 2 + 1])
