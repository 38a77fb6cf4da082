package state

// clock goes round what a store has in memory and drops what was not used since the last
// time (the second-chance rule).
type clock[E any] struct {
	ring []E
	hand int
}

func (k *clock[E]) add(e E) { k.ring = append(k.ring, e) }

// sweep looks at up to n elements; those that drop returns true for leave the ring.
func (k *clock[E]) sweep(n int, drop func(E) bool) {
	for range min(n, len(k.ring)) {
		if k.hand >= len(k.ring) {
			k.hand = 0
		}
		if !drop(k.ring[k.hand]) {
			k.hand++
			continue
		}
		last := len(k.ring) - 1
		k.ring[k.hand] = k.ring[last]
		var none E
		k.ring[last] = none
		k.ring = k.ring[:last]
	}
}
