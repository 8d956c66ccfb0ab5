MISS = object()
def runner(program, conditions):
    def run(*arrays):
        from .compiling import _holds
        if not all(map(_holds, conditions)):
            return MISS
        results, writes = program.run(*arrays)
        from .value import tick
        for (place, _), content in zip(program.writes, writes):
            if hasattr(content, "setflags") and place.key == "_array":
                content = content.copy(); content.setflags(write=False)
            place.set(content)
            if place.key == "_array": place.holder._clock = tick()
        return results
    return run
def source(program, name):
    names = {}
    def nm(v): return names.setdefault(v, f"v{len(names)}_{v.name}" if v.name else f"v{len(names)}")
    out = []
    for c in program.calls:
        fn = getattr(c.function, "__name__", str(c.function))
        def sh(t):
            from .program import Variable
            if isinstance(t, Variable): return nm(t)
            if isinstance(t, (tuple, list)): return "(" + ", ".join(map(sh, t)) + ")"
            return repr(t)[:50]
        out.append(f"{c.part[:3]} {nm(c.result) if c.result else ''} = {fn}{sh(c.args)} {({k: sh(v) for k,v in c.kwargs.items()}) or ''}")
    return "\n".join(out)
