package lens

// filter is a Bloom filter over the names of a block's events: where it says no, the
// block need not be read. 16 bits and 7 looks a name: wrong once in 1,400.
type filter []byte

const (
	filterBits  = 16
	filterLooks = 7
)

func newFilter(entries []entry) filter {
	names := make(map[string]struct{}, len(entries)*2)
	for i := range entries {
		for _, name := range entries[i].names() {
			if name != "" {
				names[name] = struct{}{}
			}
		}
	}
	f := make(filter, max(1, len(names)*filterBits/8))
	for name := range names {
		f.each(name, func(i, bit uint64) bool {
			f[i] |= 1 << bit
			return true
		})
	}
	return f
}

// has may be wrong where it says yes.
func (f filter) has(name string) bool {
	found := len(f) > 0
	f.each(name, func(i, bit uint64) bool {
		found = f[i]>>bit&1 == 1
		return found
	})
	return found
}

// each calls fn with the places of a name, until it returns false.
func (f filter) each(name string, fn func(i, bit uint64) bool) {
	bits := uint64(len(f)) * 8
	if bits == 0 {
		return
	}
	h := uint64(14695981039346656037) // FNV-1a: filters are stored, so it stays
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	step := h>>33 | 1
	h ^= h >> 29
	for range filterLooks {
		at := h % bits
		if !fn(at/8, at%8) {
			return
		}
		h = h*0x9e3779b97f4a7c15 + step
		h ^= h >> 32
	}
}
