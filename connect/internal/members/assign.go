package members

import (
	"hash/fnv"
	"slices"
	"strings"
)

// Assign gives each piece of work to a member, as evenly as may be. Every worker that knows the
// same members and the same work finds the same; a change moves little of what it need not.
func Assign(members []string, work []string) map[string]string {
	if len(members) == 0 {
		return nil
	}
	out := make(map[string]string, len(work))
	load := map[string]int{}
	most := (len(work) + len(members) - 1) / len(members)
	for _, one := range slices.Sorted(slices.Values(work)) {
		best, score := "", uint64(0)
		for _, m := range members {
			if s := rank(m, one); load[m] < most && (best == "" || s > score) {
				best, score = m, s
			}
		}
		out[one] = best
		load[best]++
	}
	return out
}

// rank is how much a member is drawn to a piece of work (rendezvous hashing).
func rank(member, work string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(strings.Join([]string{member, work}, "\x00")))
	x := h.Sum64() // its last bytes move the lower bits only: mix
	x ^= x >> 32
	x *= 0x9E3779B97F4A7C15
	x ^= x >> 29
	return x
}
