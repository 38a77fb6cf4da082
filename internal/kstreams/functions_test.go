package kstreams

import (
	"strconv"
	"strings"
)

// The catalogue of functions, the same as in Functions.java. A null is taken for "" where a
// function looks into it. Text is ASCII.

// opt is a string that may be null.
type opt = *string

func some(s string) opt { return &s }

func orEmpty(v opt) string {
	if v == nil {
		return ""
	}
	return *v
}

// shorten keeps what is concatenated over and over at a bearable length.
func shorten(s string) string {
	if len(s) <= 24 {
		return s
	}
	return s[:11] + "~" + s[len(s)-12:]
}

func head(s string) string { return s[:min(1, len(s))] }

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strings.HasPrefix(s, "_") {
		return 0
	}
	return n
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func predicate(fn string) func(k, v string) bool {
	name, argument, _ := strings.Cut(fn, ":")
	return func(k, v string) bool {
		switch name {
		case "has":
			return strings.Contains(v, argument)
		case "not":
			return !strings.Contains(v, argument)
		case "keyIs":
			return strings.HasPrefix(k, argument)
		case "keyNot":
			return !strings.HasPrefix(k, argument)
		case "even":
			return len(v)%2 == 0
		case "all":
			return true
		case "none":
			return false
		}
		panic("no predicate " + fn)
	}
}

// mapValue of a value that is not null.
func mapValue(fn string) func(k, v string) opt {
	name, argument, _ := strings.Cut(fn, ":")
	return func(k, v string) opt {
		switch name {
		case "same":
			return some(v)
		case "upper":
			return some(strings.ToUpper(v))
		case "reverse":
			b := []byte(v)
			for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
				b[i], b[j] = b[j], b[i]
			}
			return some(string(b))
		case "first":
			return some(head(v))
		case "append":
			return some(shorten(v + argument))
		case "withKey":
			return some(shorten(v + "@" + k))
		case "length":
			return some(decimal(int64(len(v))))
		case "nullIf":
			if strings.Contains(v, argument) {
				return nil
			}
			return some(v)
		}
		panic("no value function " + fn)
	}
}

func mapKey(fn string) func(k, v string) opt {
	name, argument, _ := strings.Cut(fn, ":")
	return func(k, v string) opt {
		switch name {
		case "same":
			return some(k)
		case "value":
			return some(v)
		case "first":
			return some(head(v))
		case "keyFirst":
			return some(head(k))
		case "const":
			return some(argument)
		case "upper":
			return some(strings.ToUpper(k))
		case "both":
			return some(shorten(k + head(v)))
		case "length":
			return some(decimal(int64(len(v) % 3)))
		case "nullIf":
			if strings.Contains(v, argument) {
				return nil
			}
			return some(k)
		}
		panic("no key function " + fn)
	}
}

// flat returns keys and values.
func flat(fn string) func(k, v opt) [][2]opt {
	name, argument, _ := strings.Cut(fn, ":")
	return func(k, v opt) (out [][2]opt) {
		switch name {
		case "chars":
			for _, c := range orEmpty(v) {
				out = append(out, [2]opt{k, some(string(c))})
			}
		case "charKeys":
			for _, c := range orEmpty(v) {
				out = append(out, [2]opt{some(string(c)), v})
			}
		case "twice":
			second := v
			if v != nil {
				second = mapValue("append:+")(orEmpty(k), *v)
			}
			out = [][2]opt{{k, v}, {k, second}}
		case "unless":
			if !strings.Contains(orEmpty(v), argument) {
				out = [][2]opt{{k, v}}
			}
		default:
			panic("no flat function " + fn)
		}
		return out
	}
}

// joined joins two sides, of which one may be missing.
func joined(fn string) func(l, r opt) string {
	side := func(s opt) string {
		if s == nil {
			return "-"
		}
		return *s
	}
	return func(left, right opt) string {
		l, r := side(left), side(right)
		switch fn {
		case "pair":
			return shorten("(" + l + "," + r + ")")
		case "both":
			return shorten(l + r)
		case "left":
			return l
		case "right":
			return r
		}
		panic("no joiner " + fn)
	}
}

// added makes reducers, aggregators and mergers of sessions: a is what was.
func added(fn string) func(a, v string) string {
	return func(a, v string) string {
		switch fn {
		case "concat":
			return shorten(a + v)
		case "count":
			return decimal(number(a) + 1)
		case "size":
			return decimal(number(a) + int64(len(v)))
		case "sum":
			return decimal(number(a) + number(v))
		case "max":
			return max(a, v)
		case "last":
			return v
		case "kept":
			return a
		}
		panic("no aggregator " + fn)
	}
}

func subtracted(fn string) func(a, v string) string {
	return func(a, v string) string {
		switch fn {
		case "remove":
			return strings.Replace(a, v, "", 1)
		case "count":
			return decimal(number(a) - 1)
		case "size":
			return decimal(number(a) - int64(len(v)))
		case "note":
			return shorten(a + "-" + v)
		case "kept":
			return a
		}
		panic("no subtractor " + fn)
	}
}
