package values

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/connect/debezium/types"
)

// span is an interval in parts, each with a sign of its own.
type span struct {
	years, months, days, hours, minutes int64
	seconds                             float64
}

func interval(t *Types, _ int32) *Codec {
	if t.options.Interval == "string" {
		return &Codec{Schema: types.Of(types.IntervalName), Fallback: span{}.iso(), Parse: func(b []byte) (any, error) {
			s, err := parseSpan(b)
			return s.iso(), err
		}}
	}
	return &Codec{Schema: types.Of(types.MicroDurationName), Fallback: int64(0), Parse: func(b []byte) (any, error) {
		s, err := parseSpan(b)
		return s.micros(), err
	}}
}

// daysPerMonth on average, as Debezium has it.
const daysPerMonth = 365.25 / 12.0

// micros calculates in Debezium's order, which decides how it is rounded.
func (s span) micros() int64 {
	days := float64(s.years*12+s.months)*daysPerMonth + float64(s.days)
	seconds := (((days*24+float64(s.hours))*60)+float64(s.minutes))*60 + s.seconds
	return int64(seconds * 1e6)
}

func (s span) iso() string {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	seconds := strconv.FormatFloat(s.seconds, 'f', -1, 64)
	return "P" + n(s.years) + "Y" + n(s.months) + "M" + n(s.days) + "DT" + n(s.hours) + "H" + n(s.minutes) + "M" + seconds + "S"
}

// parseSpan reads the style "postgres", such as "1 year 2 mons -3 days +04:05:06.7".
func parseSpan(b []byte) (span, error) {
	var s span
	words := bytes.Fields(b)
	for i := 0; i < len(words); i++ {
		if bytes.IndexByte(words[i], ':') >= 0 {
			if !s.clock(string(words[i])) {
				return s, wrong(b, "interval")
			}
			continue
		}
		n, err := strconv.ParseInt(string(words[i]), 10, 64)
		if err != nil || i+1 == len(words) {
			return s, wrong(b, "interval")
		}
		i++
		switch unit := strings.TrimSuffix(string(words[i]), "s"); unit {
		case "year":
			s.years = n
		case "mon":
			s.months = n
		case "day":
			s.days = n
		default:
			return s, wrong(b, "interval")
		}
	}
	return s, nil
}

func (s *span) clock(text string) bool {
	sign := int64(1)
	if strings.HasPrefix(text, "-") {
		sign = -1
	}
	parts := strings.Split(strings.TrimLeft(text, "+-"), ":")
	if len(parts) != 3 {
		return false
	}
	hours, err1 := strconv.ParseInt(parts[0], 10, 64)
	minutes, err2 := strconv.ParseInt(parts[1], 10, 64)
	seconds, err3 := strconv.ParseFloat(parts[2], 64)
	s.hours, s.minutes, s.seconds = sign*hours, sign*minutes, seconds
	if sign < 0 && seconds != 0 {
		s.seconds = -seconds
	}
	return err1 == nil && err2 == nil && err3 == nil
}
