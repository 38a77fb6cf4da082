package dateformat

import (
	"strconv"
	"strings"
	"time"
)

// reading is what was read so far.
type reading struct {
	rest                                      string
	year, month, day, yearDay                 int
	hour, half, afternoon, minute, second, ms int
	offset                                    int // of the zone, in seconds
	before                                    bool
	twelve                                    bool
}

// Time reads text; what follows the pattern does not matter. ok is false where it does not match.
func (f *Format) Time(text string) (t time.Time, ok bool) {
	r := &reading{rest: text, year: 1970, month: 1, day: 1}
	for i, p := range f.parts {
		next := byte(0)
		if i+1 < len(f.parts) {
			next = f.parts[i+1].letter
		}
		if !r.read(p, next != 0 && numeric(f.parts[i+1])) {
			return time.Time{}, false
		}
	}
	return r.time(), true
}

// numeric parts follow one another without anything between: each has as many digits as letters.
func numeric(p part) bool {
	return strings.IndexByte("ydkHmsSDFwWhKYu", p.letter) >= 0 || (p.letter == 'M' || p.letter == 'L') && p.count < 3
}

func (r *reading) time() time.Time {
	year, hour := r.year, r.hour
	if r.before {
		year = 1 - year
	}
	if r.twelve {
		hour = r.half + r.afternoon
	}
	if r.yearDay != 0 {
		r.month, r.day = 1, r.yearDay
	}
	t := time.Date(year, time.Month(r.month), r.day, hour, r.minute, r.second, 0, time.UTC)
	return t.Add(time.Duration(r.ms)*time.Millisecond - time.Duration(r.offset)*time.Second)
}

func (r *reading) read(p part, abutting bool) bool {
	if p.letter == 0 {
		var ok bool
		r.rest, ok = strings.CutPrefix(r.rest, p.text)
		return ok
	}
	r.rest = strings.TrimLeft(r.rest, " \t")
	switch p.letter {
	case 'G':
		n := r.oneOf("AD", "BC")
		r.before = n == 1
		return n >= 0
	case 'a':
		n := r.oneOf("AM", "PM")
		r.twelve, r.afternoon = true, 12*n
		return n >= 0
	case 'E':
		return r.oneOf(names(7, func(i int) string { return time.Weekday(i).String() })...) >= 0
	case 'z', 'Z', 'X':
		return r.zone()
	case 'M', 'L':
		if p.count >= 3 {
			n := r.oneOf(names(12, func(i int) string { return time.Month(i + 1).String() })...)
			r.month = n%12 + 1
			return n >= 0
		}
	}
	most := 18
	if abutting {
		most = p.count
	}
	n, digits, ok := r.number(most)
	return ok && r.set(p, n, digits)
}

// names are whole ones, then their first three letters.
func names(n int, name func(int) string) []string {
	all := make([]string, 2*n)
	for i := range n {
		all[i], all[i+n] = name(i), name(i)[:3]
	}
	return all
}

// oneOf reads one of them, whatever its case, and says which; -1 is none.
func (r *reading) oneOf(all ...string) int {
	for i, one := range all {
		if len(r.rest) >= len(one) && strings.EqualFold(r.rest[:len(one)], one) {
			r.rest = r.rest[len(one):]
			return i
		}
	}
	return -1
}

func (r *reading) number(most int) (n, digits int, ok bool) {
	i := 0
	if strings.HasPrefix(r.rest, "-") {
		i = 1
	}
	from := i
	for i < len(r.rest) && i < most && r.rest[i] >= '0' && r.rest[i] <= '9' {
		i++
	}
	n, err := strconv.Atoi(r.rest[:i])
	r.rest = r.rest[i:]
	return n, i - from, err == nil
}

func (r *reading) set(p part, n, digits int) bool {
	switch p.letter {
	case 'y':
		r.year = n
		if p.count <= 2 && digits == 2 && n >= 0 {
			r.year = inWindow(n, time.Now())
		}
	case 'M', 'L':
		r.month = n
	case 'd':
		r.day = n
	case 'D':
		r.yearDay = n
	case 'k':
		r.hour = n % 24
	case 'H':
		r.hour = n
	case 'h':
		r.half, r.twelve = n%12, true
	case 'K':
		r.half, r.twelve = n, true
	case 'm':
		r.minute = n
	case 's':
		r.second = n
	case 'S':
		r.ms = n
	case 'u':
	default:
		return false // weeks do not tell days
	}
	return true
}

// inWindow is the year of two digits from 80 years ago to 20 years ahead.
func inWindow(n int, now time.Time) int {
	start := now.Year() - 80
	year := start - start%100 + n
	if year < start {
		year += 100
	}
	return year
}

// zones that have names in patterns, in hours.
var zones = []struct {
	name  string
	hours int
}{{"UTC", 0}, {"GMT", 0}, {"Z", 0}, {"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}}

func (r *reading) zone() bool {
	named := false
	for _, z := range zones {
		if rest, ok := strings.CutPrefix(r.rest, z.name); ok {
			r.rest, r.offset, named = rest, z.hours*3600, true
			break
		}
	}
	if r.rest == "" || r.rest[0] != '+' && r.rest[0] != '-' {
		return named
	}
	sign := 1
	if r.rest[0] == '-' {
		sign = -1
	}
	r.rest = r.rest[1:]
	hours, digits, ok := r.number(2)
	if !ok || digits == 0 {
		return false
	}
	minutes := 0
	r.rest = strings.TrimPrefix(r.rest, ":")
	if n, digits, ok := r.number(2); ok && digits == 2 {
		minutes = n
	}
	r.offset = sign * (hours*3600 + minutes*60)
	return true
}
