package streams

import (
	"encoding/binary"
	"math/bits"
)

// hash128 is MurmurHash3 of 128 bits for 64-bit machines with the seed of Kafka Streams'
// foreign-key joins, by which a response is found to be of the present value.
func hash128(data []byte) (h1, h2 uint64) {
	const seed = 104729
	h1, h2 = seed, seed
	n := uint64(len(data))
	for ; len(data) >= 16; data = data[16:] {
		h1 ^= scramble1(binary.LittleEndian.Uint64(data))
		h1 = (bits.RotateLeft64(h1, 27)+h2)*5 + 0x52dce729
		h2 ^= scramble2(binary.LittleEndian.Uint64(data[8:]))
		h2 = (bits.RotateLeft64(h2, 31)+h1)*5 + 0x38495ab5
	}
	var tail [16]byte
	copy(tail[:], data)
	if len(data) > 8 {
		h2 ^= scramble2(binary.LittleEndian.Uint64(tail[8:]))
	}
	if len(data) > 0 {
		h1 ^= scramble1(binary.LittleEndian.Uint64(tail[:]))
	}
	h1 ^= n
	h2 ^= n
	h1 += h2
	h2 += h1
	h1, h2 = finish(h1), finish(h2)
	h1 += h2
	return h1, h2 + h1
}

const (
	murmur1 = 0x87c37b91114253d5
	murmur2 = 0x4cf5ad432745937f
)

func scramble1(k uint64) uint64 { return bits.RotateLeft64(k*murmur1, 31) * murmur2 }
func scramble2(k uint64) uint64 { return bits.RotateLeft64(k*murmur2, 33) * murmur1 }

func finish(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
