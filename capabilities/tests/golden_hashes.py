#!/usr/bin/env python3
"""Hashes of capabilities, computed from the rules alone, for `golden.rs`.

    python3 capabilities/tests/golden_hashes.py > capabilities/tests/golden_hashes.txt

Nothing but `hashlib`: an implementation of SSZ's hash tree roots that shares nothing with the one in Rust.
"""

from hashlib import blake2b, sha256

ZERO = bytes(32)


def node(left, right):
    return sha256(left + right).digest()


def merkleize(chunks, limit):
    """The SSZ function of this name: `limit` leaves, padded with zeros to a power of two."""
    width = 1
    while width < limit:
        width *= 2
    level, zero = list(chunks), ZERO
    assert len(level) <= width
    while width > 1:
        if len(level) % 2:
            level.append(zero)
        level = [node(level[i], level[i + 1]) for i in range(0, len(level), 2)]
        zero = node(zero, zero)
        width //= 2
    return level[0] if level else zero


def uint(value):
    return value.to_bytes(32, "little")


def pack(data):
    data = data + bytes(-len(data) % 32)
    return [data[i:i + 32] for i in range(0, len(data), 32)]


def byte_list(data, limit):
    return node(merkleize(pack(data), limit // 32), uint(len(data)))


def list_of(roots, limit):
    return node(merkleize(roots, limit), uint(len(roots)))


def container(*fields):
    return merkleize(fields, len(fields))


def optional(value):
    return node(ZERO, uint(0)) if value is None else node(uint(value), uint(1))


def numbers(values, size):
    return b"".join(value.to_bytes(size, "little") for value in values)


INSTANCE, IMAGE, DATA, CNODE, TYPE = range(5)


def cap(kind, root):
    return node(root, uint(kind))


def page(data):
    return merkleize(pack(data + bytes(4096 - len(data))), 128)


def data(content):
    pages = [content[i:i + 4096] for i in range(0, len(content), 4096)]
    return cap(DATA, list_of([page(p) for p in pages], 2**20))


def cnode(size_log, slots):
    dense = [ZERO] * (max(slots, default=-1) + 1)
    for slot, held in slots.items():
        dense[slot] = held
    return cap(CNODE, container(uint(size_log), merkleize(dense, 2**16)))


def type_of(chain):
    return cap(TYPE, chain)


def instance(chain, image_hash, root, overlays, mem_size, regs, pc, gas):
    overlay_roots = [container(uint(start), page(content)) for start, content in overlays]
    return cap(INSTANCE, container(
        chain, image_hash, root, list_of(overlay_roots, 2**20), uint(mem_size),
        merkleize(pack(numbers(regs, 8)), 4), uint(pc), uint(gas)))


def path(steps):
    return node(merkleize(pack(numbers(steps, 2)), 1), uint(len(steps)))


def endpoint(name, pc, arguments, argument_cnode, regs):
    return container(
        byte_list(name, 32), uint(pc), uint(arguments), optional(argument_cnode),
        merkleize(pack(numbers(regs, 8)), 4))


def image(profile, code, bitmask, jumps, endpoints, mappings, gas, quota, pinned, initial, marker):
    held = lambda slots: list_of([container(uint(slot), h) for slot, h in slots], 256)
    return cap(IMAGE, container(
        uint(1), uint(profile), byte_list(code, 2**25), byte_list(bitmask, 2**22),
        node(merkleize(pack(numbers(jumps, 4)), 2**17), uint(len(jumps))),
        list_of([endpoint(*e) for e in endpoints], 64),
        list_of([container(uint(start), uint(size), path(p)) for start, size, p in mappings], 64),
        byte_list(gas, 32), byte_list(quota, 32), held(pinned), held(initial), optional(marker)))


def blake(content):
    return blake2b(content, digest_size=32).digest()


def main():
    text = b"The quick brown fox jumps over the lazy dog"
    some_data = data(text)
    chain = blake(some_data)
    root = cnode(8, {0: some_data, 3: type_of(chain), 255: data(b"")})
    regs = [index * 0x0101_0101_0101_0101 for index in range(13)]
    some_image = image(
        2, bytes(range(100)), bytes([0xff] * 13), [1, 2, 99],
        [(b"first", 0, 4, None, [0] * 13), (b"", 99, 1, 5, regs)],
        [(0x10000, 4096, [253]), (0x20000, 8192, [7, 65535, 0])],
        bytes([1, 2]), bytes([3]), [(4, some_data), (253, data(text * 200))], [(9, root)], 10)
    plain_image = image(0, b"\0", b"\1", [], [(b"", 0, 4, None, [0] * 13)], [], b"", b"", [], [], None)
    empty_root = cnode(8, {})
    kernel = lambda name: blake(b"kernel:" + name)
    results = {
        "type": type_of(chain),
        "data-none": data(b""),
        "data-text": some_data,
        "data-three-pages": data(text * 200),
        "cnode-nothing": cnode(0, {}),
        "cnode-empty-root": empty_root,
        "cnode-root": root,
        "cnode-largest": cnode(16, {65535: some_data}),
        "image-plain": plain_image,
        "image-full": some_image,
        "instance-new": instance(blake(plain_image), plain_image, empty_root, [], 0, [0] * 13, 0, 0),
        "instance-full": instance(
            chain, some_image, root, [(0x20000, text), (0x21000, b"\1" * 4096)], 0x22000, regs, 77, 5),
        "instance-of-gas-7": instance(
            kernel(b"gas"), kernel(b"gas"), cnode(0, {}), [], 0, [0] * 7 + [7] + [0] * 5, 0, 0),
        "chain-genesis": blake(plain_image),
        "chain-extended": blake(blake(plain_image) + some_image),
    }
    names = [
        "gasmeter", "storagequota", "yieldcatcher", "gas", "quota", "set_gas_meter", "set_storage_quota", "mint_gas",
        "mint_quota", "create_yield_catcher", "oog_marker", "storage_exhausted_marker", "file", "host_open", "host_save"]
    for name in names:
        results["kernel:" + name] = kernel(name.encode())
    for name, value in results.items():
        print(f"{name} {value.hex()}")


if __name__ == "__main__":
    main()
