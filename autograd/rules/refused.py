"""What does not concern gradients, and what cannot be had with a Value: why, and what to write instead.

Many of these never ask a Value whether it minds: they take its numbers by ``__array__``, ``__float__`` or
``__index__``, which raise for whatever requires a gradient. They stand here for the catalogue's sake.
"""

import numpy as np

from ..op import plain, refuses

# ---------------------------------------------------------------- new arrays, types, settings: no gradient to lose

plain(np.zeros, np.ones, np.empty, np.eye, np.identity, np.bartlett, np.blackman, np.hamming, np.hanning)
plain(np.dtype, np.finfo, np.iinfo, np.promote_types, np.isdtype, np.issubdtype, np.mintypecode, np.typename)
plain(np.isscalar, np.iterable, np.broadcast_shapes, np.shares_memory, np.may_share_memory, np.ndindex)
plain(np.array_repr, np.array_str, np.array2string, np.str_)
plain(np.get_printoptions, np.set_printoptions, np.printoptions)
plain(np.errstate, np.geterr, np.seterr, np.geterrcall, np.seterrcall, np.getbufsize, np.setbufsize)
plain(np.get_include, np.show_config, np.show_runtime, np.info)
plain(*[vars(space)["test"] for space in (np, np.linalg, np.fft)])
plain(np.load, np.loadtxt, np.genfromtxt, np.fromregex, np.fromfile, np.fromstring, np.frombuffer)
plain(np.frompyfunc, np.ufunc)

# bits and dates
plain(np.packbits, np.unpackbits, np.datetime_data, np.datetime_as_string)
plain(np.busdaycalendar, np.busday_count, np.busday_offset, np.is_busday)

# ---------------------------------------------------------------- in place

refuses(
    np.copyto, np.place, np.put, np.putmask, np.put_along_axis, np.fill_diagonal,
    reason="it writes into an array that others may have been computed from. Write v = v.at[index].set(x), or "
    ".add(x), with a mask, indices or np.diag_indices as the index; np.where(mask, x, v); or, if it was np.full that "
    "came here, np.broadcast_to(x, shape).",
)  # fmt: skip

# ---------------------------------------------------------------- into plain arrays

refuses(
    np.array, np.fromiter,
    reason="it makes a plain array of the numbers, without their gradient. Write np.stack([v, w]) for Values in a "
    "list, np.copy(v) for a copy, or v.data for the plain numbers.",
)  # fmt: skip
refuses(
    np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.asarray_chkfinite, np.require,
    np.from_dlpack,
    reason="it makes a plain array, without a gradient. Write v as it is, an array for NumPy's functions, "
    "np.stack([v, w]) for Values in a list, np.astype(v, dtype) for another type, or v.data for the plain numbers.",
)  # fmt: skip
refuses(
    np.full,
    reason="it fills a plain array with the numbers, without their gradient. Write np.broadcast_to(v, shape).",
)
refuses(
    np.arange,
    reason="it takes the plain numbers, and how many come out jumps. Write start + step * np.arange(n), or "
    "np.linspace(v, w, n).",
)
refuses(
    np.kaiser,
    reason="it takes the plain number. Write np.i0(beta * np.sqrt(1 - np.linspace(-1, 1, n) ** 2)) / np.i0(beta).",
)
refuses(
    np.vectorize,
    reason="it calls a function of Python numbers once for each. Write the function with NumPy's, which take whole "
    "arrays and choose by np.where, or np.stack([f(x) for x in v]).",
)
refuses(
    *{kind for kind in vars(np).values() if isinstance(kind, type) and issubclass(kind, np.generic)} - {np.str_},
    reason="it is the type of a plain number, without a gradient. Write np.astype(v, dtype), or v.item().",
)
refuses(
    np.matrix, np.asmatrix, np.bmat, np.recarray, np.memmap, np.ndarray,
    reason="it is another kind of array, and a Value is a kind of its own. Write v @ w for products of matrices, "
    "np.block for matrices of blocks, and for the plain numbers v.data.",
)  # fmt: skip
refuses(
    np.nditer, np.nested_iters, np.ndenumerate, np.flatiter, np.broadcast,
    reason="it goes through the plain numbers. Write `for x in np.ravel(v)`, np.ndindex(v.shape) with v[index], or "
    "np.broadcast_arrays(v, w).",
)  # fmt: skip

# ---------------------------------------------------------------- into files and text

refuses(
    np.save, np.savez, np.savez_compressed, np.savetxt,
    reason="it would save the numbers and forget the rest. Write v.data for the numbers; pickle takes a Value with its "
    "graph.",
)  # fmt: skip
refuses(
    np.base_repr, np.binary_repr, np.format_float_positional, np.format_float_scientific,
    reason="it takes one plain number. Write v.item().",
)  # fmt: skip
refuses(
    np.isfortran,
    reason="how a Value lies in memory is not part of what it says. Ask its data: np.isfortran(v.data).",
)
