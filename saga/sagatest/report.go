package sagatest

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/saga"
)

// Report says what was explored.
type Report struct {
	// States that differ, and Steps between them that were tried.
	States, Steps int
	// Schedules is how many different ones from beginning to end (or to Depth) were
	// covered thereby; not an exact number from 2^53 on. 0 where the exploration failed.
	Schedules float64
	// Longest is the length of the longest of them, in steps. All states are reached
	// within Depth steps.
	Longest, Depth int
	// Cut is how many states at that depth were not looked beyond, because Model.Depth
	// said so; 0: everything was explored.
	Cut int
	// Ends counts the states in which nothing is left to happen by the saga's status,
	// "" where it never began.
	Ends map[saga.Status]int
}

// String is one line.
func (r Report) String() string {
	var ends []string
	for status, n := range r.Ends {
		ends = append(ends, fmt.Sprintf("%s %d", nameOf(status), n))
	}
	slices.Sort(ends)
	text := fmt.Sprintf("%d states, %s schedules of up to %d steps; ends: %s", r.States, count(r.Schedules), r.Longest, strings.Join(ends, ", "))
	if r.Cut > 0 {
		text += fmt.Sprintf("; %d states were not followed beyond %d steps", r.Cut, r.Depth)
	}
	return text
}

func count(n float64) string {
	if n < math.MaxInt32 {
		return fmt.Sprintf("%.0f", n)
	}
	return fmt.Sprintf("%.1e", n)
}

func nameOf(s saga.Status) string {
	if s == "" {
		return "not begun"
	}
	return string(s)
}

// ways are the steps between states, to count the schedules by.
type ways struct {
	from, to []int32
	ends     []int32
}

func (w *ways) add(from, to int32) {
	w.from, w.to = append(w.from, from), append(w.to, to)
}

func (w *ways) end(n int32) { w.ends = append(w.ends, n) }

// count is the number of paths from the beginning to states at which a schedule ends,
// and the length of the longest. States form no cycle: each step uses up something.
func (w *ways) count() (schedules float64, longest int) {
	n := int32(0)
	for _, to := range w.to {
		n = max(n, to+1)
	}
	into, paths := make([]int32, n), make([]float64, n)
	starts := make([]int32, n+1)
	for i, to := range w.to {
		if from := w.from[i]; from >= 0 {
			into[to]++
			starts[from+1]++
		} else {
			paths[to]++
		}
	}
	for i := range n {
		starts[i+1] += starts[i]
	}
	return w.sum(into, paths, w.sorted(starts))
}

// next are the states after each, one behind the other.
type next struct{ starts, to []int32 }

func (w *ways) sorted(starts []int32) next {
	at := slices.Clone(starts)
	to := make([]int32, starts[len(starts)-1])
	for i, from := range w.from {
		if from >= 0 {
			to[at[from]] = w.to[i]
			at[from]++
		}
	}
	return next{starts, to}
}

func (w *ways) sum(into []int32, paths []float64, after next) (total float64, longest int) {
	length := make([]int32, len(paths))
	var ready []int32
	for i, n := range into {
		if n == 0 {
			ready = append(ready, int32(i))
		}
	}
	ended := make([]bool, len(paths))
	for _, n := range w.ends {
		ended[n] = true
	}
	for len(ready) > 0 {
		i := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		longest = max(longest, int(length[i])+1)
		following := after.to[after.starts[i]:after.starts[i+1]]
		if ended[i] || len(following) == 0 {
			total += paths[i]
		}
		for _, to := range following {
			paths[to] += paths[i]
			length[to] = max(length[to], length[i]+1)
			if into[to]--; into[to] == 0 {
				ready = append(ready, to)
			}
		}
	}
	return total, longest
}
