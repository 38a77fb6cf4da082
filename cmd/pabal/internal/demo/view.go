package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/internal/traffic"
)

// view shows how the demo goes: redrawn in place on a terminal, else one line
// per second.
type view struct {
	out   io.Writer
	width func() int // nil where the output is no terminal

	mu    sync.Mutex
	drawn int // lines to go back over
	past  []sample
}

// sample is what is known at one moment.
type sample struct {
	at      time.Time
	begun   time.Time
	phase   string
	p50     time.Duration
	p99     time.Duration
	crashes crashCount
	// scenarios are how each goes.
	scenarios []progress
	// outbox is how many messages wait to be published, -1 where unknown.
	outbox int64
}

const (
	redraw    = 250 * time.Millisecond
	oneLine   = time.Second
	rateRange = 2 * time.Second
)

// interval is how often show is worth calling.
func (v *view) interval() time.Duration {
	if v.width != nil {
		return redraw
	}
	return oneLine
}

// say prints a message above the live part.
func (v *view) say(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.erase()
	fmt.Fprintf(v.out, format, args...)
}

// show draws the present state.
func (v *view) show(s sample) {
	v.mu.Lock()
	defer v.mu.Unlock()
	rate := v.rate(s)
	if v.width == nil {
		fmt.Fprintln(v.out, s.line(rate))
		return
	}
	v.erase()
	lines := s.block(rate)
	width := max(v.width(), 20)
	for _, line := range lines {
		if runes := []rune(line); len(runes) >= width {
			line = string(runes[:width-1])
		}
		fmt.Fprintln(v.out, line)
	}
	v.drawn = len(lines)
}

// erase takes the live part off the screen.
func (v *view) erase() {
	if v.drawn > 0 {
		fmt.Fprintf(v.out, "\x1b[%dA\x1b[J", v.drawn)
		v.drawn = 0
	}
}

// rate is of what ended lately.
func (v *view) rate(s sample) float64 {
	for len(v.past) > 1 && s.at.Sub(v.past[1].at) >= rateRange {
		v.past = v.past[1:]
	}
	if len(v.past) == 0 {
		v.past = append(v.past, sample{at: s.begun})
	}
	v.past = append(v.past, s)
	first := v.past[0]
	if span := s.at.Sub(first.at).Seconds(); span > 0 {
		return float64(s.ended()-first.ended()) / span
	}
	return 0
}

func (s sample) ended() (n int64) {
	for _, p := range s.scenarios {
		n += p.ended
	}
	return n
}

// unit is of the rate.
func (s sample) unit() string {
	if len(s.scenarios) == 1 {
		for _, each := range offered {
			if each.system.Name == s.scenarios[0].name {
				return each.work + "/s"
			}
		}
	}
	return "transactions/s"
}

func (s sample) clock() string {
	d := s.at.Sub(s.begun).Truncate(time.Second)
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// line is everything in one.
func (s sample) line(rate float64) string {
	text := fmt.Sprintf("%s %s  %.0f %s", s.clock(), s.phase, rate, s.unit())
	for _, p := range s.scenarios {
		text += "  "
		if len(s.scenarios) > 1 {
			text += p.name + ": "
		}
		text += p.String()
	}
	text += fmt.Sprintf("  p50 %.0f ms  p99 %.0f ms%s", milliseconds(s.p50), milliseconds(s.p99), s.backlog("  outbox %d"))
	if s.crashes.Killed > 0 {
		text += fmt.Sprintf("  crashes %d", s.crashes.Killed)
	}
	return text
}

// block is the same for a terminal.
func (s sample) block(rate float64) []string {
	lines := []string{
		"",
		fmt.Sprintf("  %s  %-12s %8.1f %s    latency p50 %.0f ms  p99 %.0f ms", s.clock(), s.phase, rate, s.unit(), milliseconds(s.p50), milliseconds(s.p99)),
	}
	for _, p := range s.scenarios {
		lines = append(lines, "")
		lines = append(lines, p.block()...)
	}
	lines = append(lines, "")
	if s.outbox >= 0 {
		lines = append(lines, fmt.Sprintf("  to publish %9d    messages", s.outbox))
	}
	if s.crashes.Killed > 0 {
		lines = append(lines, fmt.Sprintf("  crashes    %9d    the last one: %s", s.crashes.Killed, s.crashes.Last))
	}
	return append(lines, "", "  Ctrl-C ends it: what is under way is finished, then everything is counted again.")
}

// block is one scenario: all that was begun, and as bars what became of it.
func (p progress) block() (lines []string) {
	for i, c := range p.counts {
		note := bar(c.n, p.counts[0].n)
		if i == 0 {
			note = p.name
			if p.orders.Placed > 0 {
				note = "of them " + kinds(p.orders)
			}
		}
		lines = append(lines, strings.TrimRight(fmt.Sprintf("  %-11s %8d    %s", c.what, c.n, note), " "))
	}
	if p.stats.Repeats > 0 {
		lines = append(lines, fmt.Sprintf("  %-11s %8d    requests without an answer", "repeated", p.stats.Repeats))
	}
	return lines
}

func (s sample) backlog(format string) string {
	if s.outbox < 0 {
		return ""
	}
	return fmt.Sprintf(format, s.outbox)
}

func kinds(c traffic.Counts) string {
	var parts []string
	for _, k := range []struct {
		kind traffic.Kind
		text string
	}{
		{traffic.Duplicate, "sent twice"}, {traffic.CustomerCancel, "cancelled by customers"},
		{traffic.NoCredit, "no credit"}, {traffic.UnknownRestaurant, "unknown restaurant"},
		{traffic.WrongPrice, "wrong price"}, {traffic.NoStock, "no stock"},
	} {
		parts = append(parts, fmt.Sprintf("%s %d", k.text, c.ByKind[k.kind]))
	}
	return strings.Join(parts, ", ")
}

func bar(part, whole int64) string {
	const width = 40
	if whole == 0 {
		return ""
	}
	return strings.Repeat("█", int(part*width/whole))
}
