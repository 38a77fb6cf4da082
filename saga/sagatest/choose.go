package sagatest

// choices answers Choose along a path and remembers where else it could have gone.
type choices struct {
	path          []int
	taken, widths []int
	made          []string
}

func (c *choices) choose(options ...string) string {
	if len(options) == 0 {
		panic("Choose without options")
	}
	i := 0
	if len(c.taken) < len(c.path) {
		i = c.path[len(c.taken)]
	}
	c.taken, c.widths = append(c.taken, i), append(c.widths, len(options))
	c.made = append(c.made, options[i])
	return options[i]
}

// next is the path after this one; false after the last.
func (c *choices) next() ([]int, bool) {
	for k := len(c.taken) - 1; k >= 0; k-- {
		if c.taken[k]+1 < c.widths[k] {
			return append(append([]int(nil), c.taken[:k]...), c.taken[k]+1), true
		}
	}
	return nil, false
}
