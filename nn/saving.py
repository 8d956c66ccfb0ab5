"""Saving: weights, and all else that a training needs to go on, to one file and back; and PyTorch's names for them.

    nn.save("net.npz", model)
    nn.load("net.npz", model)
    nn.save("run.safetensors", model, optimizer=optimizer, rng=rng, epoch=7)
    facts = nn.load("run.safetensors", model, optimizer=optimizer, rng=rng)     # {'epoch': 7}

A file is .npz, which NumPy reads, or .safetensors, which PyTorch and others read (extra ``io``). Nothing in it is ever
run: it holds arrays by the names of the parameters, and JSON. What it says of sizes is held against the model before
anything is read, and either all of it is loaded or none.
"""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograd import Value

from .module import InTorch, Module, as_is
from .optim import Optimizer

__all__ = ["from_torch_state_dict", "load", "save", "to_torch_state_dict"]

FACTS = "/facts"  # no parameter has a name like this
TEXT = 1 << 26
"""How many bytes of JSON are read."""
FREE = 1 << 26
"""How many bytes of arrays are read, above four times the model's, that are no parameter's."""


class Header(NamedTuple):
    """What a file says of an array."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def form(path: str | os.PathLike[str]) -> str:
    """'.npz' or '.safetensors', or an error."""
    suffix = Path(path).suffix.lower()
    if suffix not in (".npz", ".safetensors"):
        raise ValueError(f"{os.fspath(path)!r}: the suffix says the format, .npz or .safetensors.")
    if suffix == ".safetensors":
        try:
            import safetensors  # noqa: F401
        except ImportError:
            raise ImportError(".safetensors needs a package: pip install safetensors. Or write .npz.") from None
    return suffix


def save(
    path: str | os.PathLike[str],
    model: Module,
    *,
    optimizer: Optimizer | None = None,
    schedule: Any = None,
    rng: np.random.Generator | None = None,
    **facts: Any,
) -> None:
    """Write parameters and buffers to a file, and what else is given.

    Parameters
    ----------
    path : path
        The suffix says the format: .npz or .safetensors. A file that is there is replaced in one go, when the new one
        is complete.
    model : Module
        The random state of its layers (Dropout's) is saved as well.
    optimizer : Optimizer, optional
        Its numbers, such as the learning rate, and what it remembers of each parameter.
    schedule : object, optional
        Its attributes that are numbers or text.
    rng : Generator, optional
        Its state.
    **facts
        Numbers, text, None, arrays, and lists and dicts of them, that `load` gives back.

    Raises
    ------
    ValueError
        If the suffix is another, a layer waits for its first input, or the optimiser holds parameters that are not the
        model's.
    TypeError
        If a fact is something else.
    ImportError
        For .safetensors, if that package is not installed.
    OSError
        If the file cannot be written; what was there before is untouched.

    Examples
    --------
    >>> import os, tempfile, nn
    >>> path = os.path.join(tempfile.mkdtemp(), "net.npz")
    >>> nn.save(path, nn.MLP([2, 3, 1], seed=0), epoch=3)
    >>> twin = nn.MLP([2, 3, 1], seed=1)
    >>> nn.load(path, twin)
    {'epoch': 3}
    """
    suffix = form(path)
    entries = {name: np.asarray(value.data) for name, value in _kept(model).items()}
    document: dict[str, Any] = {"generators": {n: generator_state(g) for n, g in _generators(model).items()}}
    if optimizer is not None:
        names = {id(value): name for name, value in _kept(model).items()}
        numbers: dict[str, dict[str, Any]] = {}
        for parameter, state in zip(optimizer.parameters, optimizer.states, strict=True):
            if id(parameter) not in names:
                raise ValueError(f"save: the optimiser holds {parameter!r:.60}, which is no parameter of the model.")
            name = names[id(parameter)]
            for slot, content in state.items():
                if isinstance(content, np.ndarray | np.generic):
                    entries[f"optimizer/{name}/{slot}"] = np.asarray(content)
                else:
                    numbers.setdefault(name, {})[slot] = _plain(f"optimizer state {slot!r} of {name}", content, None)
        document["optimizer"] = {
            "class": type(optimizer).__name__,
            "settings": _settings(optimizer),
            "numbers": numbers,
        }
    if schedule is not None:
        document["schedule"] = _settings(schedule)
    if rng is not None:
        document["rng"] = generator_state(rng)
    document["facts"] = _plain("facts", facts, entries)
    text = json.dumps(document)
    if suffix == ".npz":
        entries[FACTS] = np.frombuffer(text.encode(), np.uint8)
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "xb") as file:
            if suffix == ".npz":
                # np.savez would make paths of names, and take "file" for its own argument.
                with zipfile.ZipFile(file, "w") as archive:
                    for name, array in entries.items():
                        with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                            np.lib.format.write_array(member, np.asarray(array, order="C"), allow_pickle=False)
            else:
                from safetensors.numpy import save as to_bytes

                tensors = {name: np.asarray(array, order="C") for name, array in entries.items()}
                file.write(to_bytes(tensors, {"chainrule": text}))
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def load(
    path: str | os.PathLike[str],
    model: Module,
    *,
    optimizer: Optimizer | None = None,
    schedule: Any = None,
    rng: np.random.Generator | None = None,
) -> dict[str, Any]:
    """Read what `save` wrote into a model of the same shape, and into what else is given.

    Parameters
    ----------
    path : path
        Also of a file that others wrote, if its arrays have the names of the model's parameters and buffers.
    model : Module
    optimizer, schedule, rng : optional
        Of the kind that was saved.

    Returns
    -------
    dict
        The facts.

    Raises
    ------
    ValueError
        If the file is damaged, lacks a parameter, holds another, one of another shape, or of a type whose numbers the
        model cannot hold; or if it has no optimiser, schedule or random state of the kind that is asked for. Nothing is
        changed then.
    ImportError
        For .safetensors, if that package is not installed.
    OSError
        If the file cannot be read.

    Notes
    -----
    Numbers are converted where that loses nothing, from float32 to float64.
    """
    kept = _kept(model)
    where = os.fspath(path)
    with (_npz if form(path) == ".npz" else _safetensors)(path) as (headers, read, text):
        _match(where, headers, kept)
        slots = {name for name in headers if name.startswith("optimizer/")}
        for name in slots:
            owner, _, slot = name.removeprefix("optimizer/").rpartition("/")
            if owner not in kept or headers[name].shape not in (kept[owner].shape, ()):
                raise ValueError(
                    f"{where}: {slot!r} of the optimiser's state of {owner} has shape {headers[name].shape}."
                )
        free = {name: header for name, header in headers.items() if name.startswith("facts/")}
        limit = FREE + 4 * sum(value.size * value.dtype.itemsize for value in kept.values())
        if sum(header.bytes for header in free.values()) > limit:
            raise ValueError(f"{where}: its facts hold more than {limit:,} bytes of arrays.")
        try:
            document = json.loads(text) if text else {}
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{where}: its facts are no JSON: {error}") from None
        if not isinstance(document, dict):
            raise ValueError(f"{where}: its facts are no JSON object.")
        new = [(value, _frozen(read(name).astype(value.dtype, copy=False))) for name, value in kept.items()]
        states = {}
        if optimizer is not None:
            stored = _part(document, "optimizer", where)
            if stored.get("class") != type(optimizer).__name__:
                raise ValueError(
                    f"{where}: it holds the state of {stored.get('class')}, not of {type(optimizer).__name__}."
                )
            names = {id(value): name for name, value in kept.items()}
            for parameter in optimizer.parameters:
                if id(parameter) not in names:
                    raise ValueError(
                        f"load: the optimiser holds {parameter!r:.60}, which is no parameter of the model."
                    )
                states[id(parameter)] = dict(_part(stored, "numbers", where).get(names[id(parameter)], {}))
            for name in sorted(slots):
                owner, _, slot = name.removeprefix("optimizer/").rpartition("/")
                if id(kept[owner]) not in states:
                    raise ValueError(f"{where}: it holds the optimiser's state of {owner}, which is not trained here.")
                states[id(kept[owner])][slot] = read(name)[()]
        facts = _rebuilt(document.get("facts", {}), lambda name: read(name) if name in free else None)
    settings = [(schedule, _part(document, "schedule", where))] if schedule is not None else []
    if optimizer is not None:
        settings.append((optimizer, _part(_part(document, "optimizer", where), "settings", where)))
    changes = [change for target, stored in settings for change in _changes(where, target, stored)]
    known = _part({"generators": {}} | document, "generators", where)
    generators = [(mine, known[name]) for name, mine in _generators(model).items() if name in known]
    if rng is not None:
        generators.append((rng, _part(document, "rng", where)))
    states_of = [(mine, generator(state, mine, where)) for mine, state in generators]
    # From here on nothing fails.
    for value, array in new:
        value.data = array
    if optimizer is not None:
        optimizer.states = [states[id(parameter)] for parameter in optimizer.parameters]
    for target, name, content in changes:
        setattr(target, name, content)
    for mine, found in states_of:
        mine.bit_generator.state = found.bit_generator.state
    return facts  # type: ignore[no-any-return]


def _changes(where: str, target: Any, stored: Mapping[str, Any]) -> list[tuple[Any, str, Any]]:
    """The attributes of an optimiser or schedule that are to be set, each of the kind that it was."""
    changes = []
    for name, content in stored.items():
        old = getattr(target, "__dict__", {}).get(name, content)
        numbers = isinstance(content, int | float) and isinstance(old, int | float)
        content = tuple(content) if isinstance(content, list) and isinstance(old, tuple) else content
        if not (numbers or content is None or old is None or type(content) is type(old)):
            raise ValueError(f"{where}: {name} of {type(target).__name__} is {content!r:.40}, in the place of {old!r}.")
        if name in getattr(target, "__dict__", {}):
            changes.append((target, name, content))
    return changes


def _kept(model: Module) -> dict[str, Value]:
    """Parameters and buffers by their paths."""
    return dict([*model.named_parameters(), *model.named_buffers()])


def _generators(model: Module) -> dict[str, np.random.Generator]:
    """The random generators that layers hold."""
    return {
        f"{path}.{name}": content
        for path, module in model.named_modules()
        for name, content in vars(module).items()
        if isinstance(content, np.random.Generator)
    }


def _match(where: str, headers: Mapping[str, Header], kept: Mapping[str, Value]) -> None:
    """Raise unless the file holds what the model holds."""
    _complete(where, kept, {name for name in headers if not name.startswith(("optimizer/", "facts/"))})
    for name, value in kept.items():
        header = headers[name]
        if header.shape != value.shape:
            raise ValueError(f"{where}: {name} has shape {header.shape} there and {value.shape} in the model.")
        if not np.can_cast(header.dtype, value.dtype, "safe"):
            raise ValueError(
                f"{where}: {name} is of {header.dtype} there and of {value.dtype} in the model; digits would be lost. "
                f"Make the model with dtype={header.dtype}."
            )


def _complete(where: str, wanted: Iterable[str], found: set[str]) -> None:
    lacking, left = [name for name in wanted if name not in found], sorted(found - set(wanted))
    parts = [f"it lacks {_few(lacking)}"] if lacking else []
    parts += [f"it holds {_few(left)}, which the model has not"] if left else []
    if parts:
        raise ValueError(f"{where} does not fit the model: {', and '.join(parts)}.")


def _few(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _part(document: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    part = document.get(name)
    if not isinstance(part, dict):
        raise ValueError(f"{where} holds no {name}.")
    return part


def _frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)  # which spares Value a copy
    return array


# -------------------------------------------------------------------- PyTorch


def to_torch_state_dict(model: Module) -> dict[str, Any]:
    """The parameters and buffers as PyTorch names and lays them out, for ``load_state_dict`` of the same net there.

    Parameters
    ----------
    model : Module

    Returns
    -------
    dict of str to torch.Tensor
        Copies.

    Raises
    ------
    ImportError
        If PyTorch is not installed.
    ValueError
        If a layer waits for its first input.

    Notes
    -----
    A module's attributes have the same names there. In a `Sequential`, a layer with an activation counts twice, because
    PyTorch has activations as layers: ``nn.MLP([64, 32, 10])`` is there ``Sequential(Linear(64, 32), ReLU(),
    Linear(32, 10))``. `Dense` holds the transpose of a ``Linear``'s weight.
    """
    try:
        import torch
    except ImportError:
        raise ImportError("to_torch_state_dict needs PyTorch: pip install torch.") from None
    return {name: torch.tensor(np.asarray(array)) for name, array in to_torch(model).items()}


def from_torch_state_dict(model: Module, state: Mapping[str, Any]) -> None:
    """Take the parameters and buffers that PyTorch's net of the same form holds.

    Parameters
    ----------
    model : Module
    state : dict of str to torch.Tensor or array
        As ``state_dict()`` gives it.

    Raises
    ------
    ValueError
        If a name is lacking or left over, or a shape or number type does not fit; nothing is changed then.

    Examples
    --------
    >>> import numpy as np, nn
    >>> model = nn.Dense(2, 1)
    >>> nn.from_torch_state_dict(model, {"weight": np.array([[1.0, 2.0]]), "bias": np.zeros(1)})
    >>> model(np.ones((1, 2))).item()
    3.0
    """
    given = {
        name: np.asarray(content.detach().cpu() if hasattr(content, "detach") else content)
        for name, content in state.items()
        if not name.endswith("num_batches_tracked")  # which only a cumulative average would need
    }
    kept, where = _kept(model), "The state dict"
    places = _in_torch(model, kept)
    wanted = {name for _, theirs, _, _ in places for name in theirs}
    _complete(where, wanted, set(given))
    arrays: dict[str, np.ndarray] = {}
    for ours, theirs, _, back in places:
        try:
            arrays |= dict(zip(ours, back(*(given[name] for name in theirs)), strict=True))
        except (ValueError, IndexError):
            shapes = ", ".join(f"{name} of shape {given[name].shape}" for name in theirs)
            raise ValueError(f"{where}: {', '.join(ours)} cannot be made of {shapes}.") from None
    _match(where, {name: Header(array.shape, array.dtype) for name, array in arrays.items()}, kept)
    new = [(value, _frozen(np.array(arrays[name], value.dtype))) for name, value in kept.items()]
    for value, array in new:
        value.data = array


def to_torch(model: Module) -> dict[str, np.ndarray]:
    """What `to_torch_state_dict` gives, as NumPy arrays."""
    kept = _kept(model)
    return {
        name: np.asarray(array)
        for ours, theirs, to, _ in _in_torch(model, kept)
        for name, array in zip(theirs, to(*(np.asarray(kept[name].data) for name in ours)), strict=True)
    }


def _in_torch(model: Module, kept: Mapping[str, Value]) -> list[InTorch]:
    """Where each parameter is there: our names, theirs, and the way there and back."""
    modules = dict(model.named_modules())
    theirs, claimed, places = {"": ""}, set[str](), []
    for path, module in modules.items():
        if path:
            outer = max((p for p in theirs if not p or path.startswith(f"{p}.")), key=len)
            rest = path.removeprefix(outer).lstrip(".")
            if modules[outer].torch.get("layers") == "" and rest.startswith("layers."):
                position, _, rest = rest.removeprefix("layers.").partition(".")
                before = vars(modules[outer])["layers"][: int(position)]
                place = len(before) + sum(getattr(layer, "activation", None) is not None for layer in before)
                rest = f"{place}.{rest}".rstrip(".")
            theirs[path] = f"{theirs[outer]}.{rest}".strip(".")
        for ours, names, to, back in module.in_torch():
            mine = tuple(f"{path}.{name}".lstrip(".") for name in ours)
            if not claimed & set(mine) and set(mine) <= set(kept):
                claimed.update(mine)
                places.append((mine, tuple(f"{theirs[path]}.{name}".lstrip(".") for name in names), to, back))
    # What a module holds in lists and dicts goes by the same name there.
    for name in kept:
        if name not in claimed:
            path = max((p for p in modules if name.startswith(f"{p}.") or not p), key=len)
            rest = name.removeprefix(path).lstrip(".")
            places.append(((name,), (f"{theirs[path]}.{rest}".lstrip("."),), as_is, as_is))
    return places


# -------------------------------------------------------------------- what goes into JSON


def _settings(owner: Any) -> dict[str, Any]:
    """The attributes that are numbers or text, or tuples of them."""

    def simple(content: Any) -> bool:
        if isinstance(content, list | tuple):
            return all(map(simple, content))
        return content is None or isinstance(content, bool | int | float | str)

    return {name: content for name, content in getattr(owner, "__dict__", {}).items() if simple(content)}


def _plain(path: str, content: Any, entries: dict[str, np.ndarray] | None) -> Any:
    """`content` as JSON has it; arrays go to `entries`, and their names stand in their place."""
    if isinstance(content, np.generic):
        content = content.item()
    if content is None or isinstance(content, bool | int | float | str):
        return content
    if isinstance(content, Value):
        content = content.data
    if isinstance(content, np.ndarray) and content.dtype.kind in "biufc" and entries is not None:
        name = f"facts/{len(entries)}"
        entries[name] = np.asarray(content)
        return {"__array__": name}
    if isinstance(content, list | tuple):
        return [_plain(f"{path}[{i}]", item, entries) for i, item in enumerate(content)]
    if isinstance(content, Mapping) and all(isinstance(key, str) for key in content) and "__array__" not in content:
        return {key: _plain(f"{path}[{key!r}]", item, entries) for key, item in content.items()}
    raise TypeError(f"save: {path} is {content!r:.60}; what can be saved is numbers, text, arrays, lists and dicts.")


def _rebuilt(content: Any, read: Callable[[str], Any]) -> Any:
    if isinstance(content, dict):
        if set(content) == {"__array__"}:
            return read(content["__array__"])
        return {key: _rebuilt(item, read) for key, item in content.items()}
    return [_rebuilt(item, read) for item in content] if isinstance(content, list) else content


def generator_state(rng: np.random.Generator) -> dict[str, Any]:
    """The state of a random generator, as JSON has it."""

    def plain(content: Any) -> Any:
        if isinstance(content, Mapping):
            return {key: plain(item) for key, item in content.items()}
        return content.tolist() if isinstance(content, np.ndarray | np.generic) else content

    return plain(rng.bit_generator.state)  # type: ignore[no-any-return]


def generator(state: Any, like: np.random.Generator | None = None, where: str = "") -> np.random.Generator:
    """The random generator that is in this state, of the kind of another, if that is given.

    Raises
    ------
    ValueError
        If it is none of NumPy's states, or of another kind.
    """
    kinds = {kind.__name__: kind for kind in (np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937,
             np.random.Philox, np.random.SFC64)}  # fmt: skip
    name = state.get("bit_generator") if isinstance(state, Mapping) else None
    if not isinstance(name, str) or name not in kinds:
        raise ValueError(f"{where}: a random generator of the kind {name!r} is not known.")
    if like is not None and name != type(like.bit_generator).__name__:
        raise ValueError(f"{where}: its random state is of {name}, not of {type(like.bit_generator).__name__}.")
    made = kinds[name]()

    def shaped(content: Any, model: Any) -> Any:
        if isinstance(model, Mapping):
            return {key: shaped(content[key], item) for key, item in model.items()}
        return np.asarray(content, model.dtype) if isinstance(model, np.ndarray) else content

    try:
        made.state = shaped(state, made.state)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{where}: a random state is damaged: {error}") from None
    return np.random.Generator(made)


# -------------------------------------------------------------------- the two formats

Opened = tuple[dict[str, Header], Callable[[str], np.ndarray], str]


@contextmanager
def _npz(path: str | os.PathLike[str]) -> Iterator[Opened]:
    """The headers of all arrays, a function that reads one, and the facts."""
    form = np.lib.format
    with open(path, "rb") as stored:
        headers = {}
        with _told(path):
            archive = zipfile.ZipFile(stored)
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                if name in headers or name == member.filename:
                    raise ValueError(f"it holds {member.filename!r:.60} twice, or that is no array.")
                with archive.open(member) as file:
                    old = form.read_magic(file) == (1, 0)
                    shape, _, dtype = form.read_array_header_1_0(file) if old else form.read_array_header_2_0(file)
                    headers[name] = Header(shape, dtype)
                    if dtype.kind not in "biufc":
                        raise ValueError(f"{name}: {dtype} is no type of numbers.")
                    if member.file_size != file.tell() + headers[name].bytes:
                        raise ValueError(f"{name}: {member.file_size:,} bytes for shape {shape} of {dtype}.")
            if FACTS in headers and (headers[FACTS].dtype != np.uint8 or headers[FACTS].bytes > TEXT):
                raise ValueError(f"its facts are no text of at most {TEXT:,} bytes.")

        def read(name: str) -> np.ndarray:
            with _told(path), archive.open(f"{name}.npy") as file:
                return form.read_array(file, allow_pickle=False)

        text = read(FACTS).tobytes().decode(errors="replace") if headers.pop(FACTS, None) else ""
        yield headers, read, text


@contextmanager
def _safetensors(path: str | os.PathLike[str]) -> Iterator[Opened]:
    from safetensors import safe_open

    kinds = {"F64": "f8", "F32": "f4", "F16": "f2", "I64": "i8", "I32": "i4", "I16": "i2", "I8": "i1",
             "U64": "u8", "U32": "u4", "U16": "u2", "U8": "u1", "BOOL": "?", "C64": "c8"}  # fmt: skip
    os.stat(path)  # whose errors say more
    headers = {}
    with _told(path):
        file: Any = safe_open(path, framework="np")
        for name in file.keys():  # noqa: SIM118
            part = file.get_slice(name)
            if part.get_dtype() not in kinds:
                raise ValueError(f"{name} is of {part.get_dtype()}, which NumPy has not.")
            headers[name] = Header(tuple(part.get_shape()), np.dtype(kinds[part.get_dtype()]))
        text = (file.metadata() or {}).get("chainrule", "")

    def read(name: str) -> np.ndarray:
        with _told(path):
            return file.get_tensor(name)  # type: ignore[no-any-return]

    with file:
        yield headers, read, text


@contextmanager
def _told(path: str | os.PathLike[str]) -> Iterator[None]:
    """Whatever a reader comes upon in a damaged file, as one kind of error that has the file's name."""
    try:
        yield
    except Exception as error:
        raise ValueError(f"{os.fspath(path)} is damaged, or no {Path(path).suffix} file: {error}") from error
