package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
)

// Bounds of a comparison by lines.
const (
	// maxCells of the table that finds the longest common part.
	maxCells = 4_000_000
	// around is how many equal lines are shown around a change; maxLines how many lines in all.
	around   = 3
	maxLines = 4000
)

// linesOf a schema, indented where it is JSON.
func linesOf(text string) []string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(text), "", "  ") == nil {
		text = out.String()
	}
	return strings.Split(strings.TrimRight(text, "\n"), "\n")
}

// diffLines are the lines of both; cut says that it was too much to find the fewest changes, or to
// show them all.
func diffLines(a, b []string) (lines []api.DiffLine, cut bool) {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	d := diff{}
	for _, text := range a[:head] {
		d.same(text)
	}
	if n, m := len(a)-head-tail, len(b)-head-tail; n*m <= maxCells {
		d.between(a[head:head+n], b[head:head+m])
	} else {
		cut = true
		d.remove(a[head : head+n]...)
		d.add(b[head : head+m]...)
	}
	for _, text := range a[len(a)-tail:] {
		d.same(text)
	}
	lines = d.near()
	if len(lines) > maxLines {
		return lines[:maxLines], true
	}
	return lines, cut
}

// diff collects lines with their numbers.
type diff struct {
	lines    []api.DiffLine
	old, new int
}

func (d *diff) same(text string) {
	d.old, d.new = d.old+1, d.new+1
	d.lines = append(d.lines, api.DiffLine{Kind: "same", Text: text, Old: d.old, New: d.new})
}

func (d *diff) remove(texts ...string) {
	for _, text := range texts {
		d.old++
		d.lines = append(d.lines, api.DiffLine{Kind: "removed", Text: text, Old: d.old})
	}
}

func (d *diff) add(texts ...string) {
	for _, text := range texts {
		d.new++
		d.lines = append(d.lines, api.DiffLine{Kind: "added", Text: text, New: d.new})
	}
}

// between goes along a longest common subsequence.
func (d *diff) between(a, b []string) {
	width := len(b) + 1
	common := make([]int32, (len(a)+1)*width)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i*width+j] = common[(i+1)*width+j+1] + 1
			} else {
				common[i*width+j] = max(common[(i+1)*width+j], common[i*width+j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			d.same(a[i])
			i, j = i+1, j+1
		case common[(i+1)*width+j] >= common[i*width+j+1]:
			d.remove(a[i])
			i++
		default:
			d.add(b[j])
			j++
		}
	}
	d.remove(a[i:]...)
	d.add(b[j:]...)
}

// near leaves out equal lines that are far from a change.
func (d *diff) near() []api.DiffLine {
	keep := make([]bool, len(d.lines))
	for i, line := range d.lines {
		if line.Kind == "same" {
			continue
		}
		for k := max(0, i-around); k <= min(len(d.lines)-1, i+around); k++ {
			keep[k] = true
		}
	}
	var out []api.DiffLine
	for i := 0; i < len(d.lines); {
		if keep[i] {
			out = append(out, d.lines[i])
			i++
			continue
		}
		from := i
		for i < len(d.lines) && !keep[i] {
			i++
		}
		text := "1 line is the same"
		if n := i - from; n > 1 {
			text = fmt.Sprintf("%d lines are the same", n)
		}
		out = append(out, api.DiffLine{Kind: "gap", Text: text})
	}
	return out
}
