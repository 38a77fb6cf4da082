package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/traffic"
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
	orders  traffic.Counts
	p50     time.Duration
	p99     time.Duration
	stats   traffic.Stats
	crashes crashCount
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

// rate is of the orders that ended lately.
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

func (s sample) ended() int64 { return s.orders.Approved + s.orders.Cancelled }

func (s sample) clock() string {
	d := s.at.Sub(s.begun).Truncate(time.Second)
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// line is everything in one.
func (s sample) line(rate float64) string {
	text := fmt.Sprintf("%s %s  %.0f orders/s  placed %d  approved %d  cancelled %d  under way %d  p50 %.0f ms  p99 %.0f ms%s",
		s.clock(), s.phase, rate, s.orders.Placed, s.orders.Approved, s.orders.Cancelled, s.orders.Open(),
		milliseconds(s.p50), milliseconds(s.p99), s.backlog("  outbox %d"))
	if s.crashes.Killed > 0 {
		text += fmt.Sprintf("  crashes %d", s.crashes.Killed)
	}
	return text
}

// block is the same for a terminal.
func (s sample) block(rate float64) []string {
	lines := []string{
		"",
		fmt.Sprintf("  %s  %-12s %8.1f orders/s    latency p50 %.0f ms  p99 %.0f ms", s.clock(), s.phase, rate, milliseconds(s.p50), milliseconds(s.p99)),
		"",
		fmt.Sprintf("  placed     %9d    of them %s", s.orders.Placed, kinds(s.orders)),
		fmt.Sprintf("  approved   %9d    %s", s.orders.Approved, bar(s.orders.Approved, s.orders.Placed)),
		fmt.Sprintf("  cancelled  %9d    %s", s.orders.Cancelled, bar(s.orders.Cancelled, s.orders.Placed)),
		fmt.Sprintf("  under way  %9d    %s", s.orders.Open(), s.backlog("messages to publish %d")),
	}
	if s.stats.Repeats > 0 {
		lines = append(lines, fmt.Sprintf("  repeated   %9d    requests without an answer", s.stats.Repeats))
	}
	if s.crashes.Killed > 0 {
		lines = append(lines, fmt.Sprintf("  crashes    %9d    the last one: %s", s.crashes.Killed, s.crashes.Last))
	}
	return append(lines, "", "  Ctrl-C ends it: what is under way is finished, then everything is counted again.")
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
