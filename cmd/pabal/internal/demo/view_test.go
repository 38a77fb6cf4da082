package demo

import (
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/traffic"
)

func sampleAt(begun time.Time, after time.Duration, ended int64) sample {
	return sample{
		at: begun.Add(after), begun: begun, phase: "running",
		p50: 12 * time.Millisecond, p99: 80 * time.Millisecond, outbox: 3,
		crashes: crashCount{Killed: 2, Last: "payment"},
		scenarios: []progress{{
			name: "orders", ended: ended, orders: traffic.Counts{Placed: ended + 2, Approved: ended - 1, Cancelled: 1},
			counts: []count{{"placed", ended + 2}, {"approved", ended - 1}, {"cancelled", 1}, {"under way", 2}},
		}},
	}
}

func TestViewWithoutATerminal(t *testing.T) {
	var out strings.Builder
	v := &view{out: &out}
	begun := time.Now()
	v.show(sampleAt(begun, time.Second, 20))
	v.say("hello\n")
	v.show(sampleAt(begun, 61*time.Second, 140))
	want := `00:01 running  20 orders/s  placed 22  approved 19  cancelled 1  under way 2  p50 12 ms  p99 80 ms  outbox 3  crashes 2
hello
01:01 running  2 orders/s  placed 142  approved 139  cancelled 1  under way 2  p50 12 ms  p99 80 ms  outbox 3  crashes 2
`
	if out.String() != want {
		t.Fatalf("got\n%s\nwant\n%s", out.String(), want)
	}
	if v.interval() != time.Second {
		t.Errorf("a line every %s", v.interval())
	}
}

func TestViewOfSeveralScenarios(t *testing.T) {
	var out strings.Builder
	v := &view{out: &out}
	begun := time.Now()
	s := sampleAt(begun, time.Second, 20)
	s.scenarios = append(s.scenarios, progress{name: "hotel", ended: 10, counts: []count{{"reserved", 12}, {"confirmed", 9}}})
	v.show(s)
	want := "00:01 running  30 transactions/s  orders: placed 22  approved 19  cancelled 1  under way 2  hotel: reserved 12  confirmed 9  p50 12 ms  p99 80 ms  outbox 3  crashes 2\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// TestViewOnATerminal: each redraw goes back over exactly the lines it drew, no
// line is wider than the terminal, and messages stay above.
func TestViewOnATerminal(t *testing.T) {
	const width = 40
	screen := &screen{}
	v := &view{out: screen, width: func() int { return width }}
	begun := time.Now()
	for i := range 5 {
		v.show(sampleAt(begun, time.Duration(i+1)*time.Second, int64(20*(i+1))))
	}
	v.say("First order approved.\n")
	v.show(sampleAt(begun, 6*time.Second, 120))
	if screen.lines[0] != "First order approved." {
		t.Errorf("the message is not above the live part: %q", screen.lines)
	}
	text := strings.Join(screen.lines, "\n")
	if strings.Count(text, "approved  ") != 1 || !strings.Contains(text, "119") || strings.Contains(text, "00:05") {
		t.Errorf("an earlier state is still there:\n%s", text)
	}
	for _, line := range screen.lines {
		if n := len([]rune(line)); n >= width {
			t.Errorf("a line has %d columns of %d: %q", n, width, line)
		}
	}
}

// screen understands what the view writes to a terminal.
type screen struct{ lines []string }

func (s *screen) Write(p []byte) (int, error) {
	text := string(p)
	if up, rest, ok := strings.Cut(strings.TrimPrefix(text, "\x1b["), "A\x1b[J"); ok && strings.HasPrefix(text, "\x1b[") {
		n := 0
		for _, digit := range up {
			n = 10*n + int(digit-'0')
		}
		s.lines = s.lines[:len(s.lines)-n]
		text = rest
	}
	if text != "" {
		s.lines = append(s.lines, strings.Split(strings.TrimSuffix(text, "\n"), "\n")...)
	}
	return len(p), nil
}
