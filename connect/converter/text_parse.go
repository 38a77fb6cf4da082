package converter

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/internal/dateformat"
)

// ParseText finds out what text stands for, as Kafka Connect's Values does: null, a boolean, the
// smallest number, a date, time or timestamp, a list, a map, or else the text itself.
func ParseText(text string) (*data.Schema, any, error) {
	if text == "" {
		return data.Of(data.String), "", nil
	}
	p := &textParser{tokens: tokens{text: text}}
	return p.value(false)
}

type textParser struct {
	tokens
	depth int
}

var (
	errEmbedded = errors.New("it is no value within a list or map")
	errOpen     = errors.New("it does not end")
)

// deepestText is how far lists and maps may be nested in each other.
const deepestText = 100

// value is nil with a nil schema for null. Within lists and maps, strings have quotes.
func (p *textParser) value(within bool) (*data.Schema, any, error) {
	if !p.more() {
		return nil, nil, nil
	}
	if within && p.take(`"`) {
		return p.quoted()
	}
	switch {
	case p.single(within, "null"):
		return nil, nil, nil
	case p.single(within, "true"):
		return data.Of(data.Boolean), true, nil
	case p.single(within, "false"):
		return data.Of(data.Boolean), false, nil
	}
	start := p.mark()
	if s, v, err, tried := p.nested(); tried && err == nil {
		return s, v, nil
	}
	p.rewind(start)
	token := p.next()
	if strings.TrimSpace(token) == "" {
		return data.Of(data.String), token, nil
	}
	return p.scalar(within, strings.TrimSpace(token))
}

// single takes a word that is all there is, unless it is within others.
func (p *textParser) single(within bool, word string) bool {
	start := p.mark()
	if p.take(word) && (within || !p.more()) {
		return true
	}
	p.rewind(start)
	return false
}

func (p *textParser) nested() (s *data.Schema, v any, err error, tried bool) { //nolint:staticcheck // tried belongs to all
	if p.depth++; p.depth > deepestText {
		return nil, nil, errOpen, true
	}
	defer func() { p.depth-- }()
	switch {
	case p.take("["):
		s, v, err = p.list()
		return s, v, err, true
	case p.take("{"):
		s, v, err = p.dictionary()
		return s, v, err, true
	}
	return nil, nil, nil, false
}

func (p *textParser) scalar(within bool, token string) (*data.Schema, any, error) {
	digit := token[0] >= '0' && token[0] <= '9'
	if digit {
		if s, v := p.temporalTokens(token); s != nil {
			return s, v, nil
		}
	}
	if digit || token[0] == '+' || token[0] == '-' {
		if s, v := parseNumber(token); s != nil {
			return s, v, nil
		}
	}
	if within {
		return nil, nil, fmt.Errorf("%w: %s", errEmbedded, token)
	}
	return data.Of(data.String), p.text, nil
}

func (p *textParser) quoted() (*data.Schema, any, error) {
	var b strings.Builder
	for p.more() && !p.take(`"`) {
		b.WriteString(p.next())
	}
	if s, v := parseTemporal(b.String()); s != nil {
		return s, v, nil
	}
	return data.Of(data.String), b.String(), nil
}

func (p *textParser) list() (*data.Schema, any, error) {
	all, elements := []any{}, merger{}
	for p.more() {
		if p.take("]") {
			err := elements.align(all)
			return &data.Schema{Type: data.Array, Value: elements.common}, all, err
		}
		if p.take(",") {
			return nil, nil, errEmbedded
		}
		s, v, err := p.value(true)
		if err != nil {
			return nil, nil, err
		}
		elements.add(s)
		all = append(all, v)
		here := p.mark()
		if p.take("]") {
			p.rewind(here)
		} else if !p.take(",") {
			return nil, nil, errOpen
		}
	}
	return nil, nil, errOpen
}

func (p *textParser) dictionary() (*data.Schema, any, error) {
	m, keys, values := &data.Map{}, merger{}, merger{}
	for p.more() {
		if p.take("}") {
			return mapOf(m, keys, values)
		}
		if p.take(",") {
			return nil, nil, errEmbedded
		}
		ks, key, err := p.value(true)
		if err == nil && (key == nil || !p.take(":")) {
			err = errEmbedded
		}
		if err != nil {
			return nil, nil, err
		}
		vs, v, err := p.value(true)
		if err != nil {
			return nil, nil, err
		}
		m.Put(key, v)
		p.take(",")
		keys.add(ks)
		values.add(vs)
	}
	return nil, nil, errOpen
}

func mapOf(m *data.Map, keys, values merger) (*data.Schema, any, error) {
	s := &data.Schema{Type: data.MapType}
	if keys.common == nil {
		return s, m, nil
	}
	s.Key, s.Value = keys.common, values.common
	return s, m, errors.Join(keys.align(m.Keys), values.align(m.Values))
}

// temporalTokens reads a time whose colons made several tokens of it.
func (p *textParser) temporalTokens(token string) (*data.Schema, any) {
	start := p.mark()
	if rest, ok := p.nextFour(); ok {
		if s, v := parseTemporal(token + rest); s != nil {
			return s, v
		}
	}
	p.rewind(start)
	return parseTemporal(token)
}

func parseTemporal(text string) (*data.Schema, any) {
	text = strings.ReplaceAll(text, `\:`, ":")
	of := func(f *dateformat.Format, t data.Type, name string) (*data.Schema, any) {
		if v, ok := f.Time(text); ok {
			return data.Named(t, name), v
		}
		return nil, nil
	}
	switch len(text) {
	case len("hh:mm:ss.mmmZ"):
		return of(timeFormat, data.Int32, data.TimeName)
	case len("yyyy-mm-ddThh:mm:ss.mmmZ"):
		return of(timestampFormat, data.Int64, data.TimestampName)
	case len("yyyy-mm-dd"):
		return of(dateFormat, data.Int32, data.DateName)
	}
	return nil, nil
}

// parseNumber makes the smallest integer of what is whole, else a float, else a decimal.
func parseNumber(token string) (*data.Schema, any) {
	d, err := data.ParseDecimal(token)
	if err != nil {
		return nil, nil
	}
	if whole, err := d.WithScale(0); err == nil && whole.Unscaled.IsInt64() {
		switch n := whole.Unscaled.Int64(); {
		case n == int64(int8(n)):
			return data.Of(data.Int8), int8(n)
		case n == int64(int16(n)):
			return data.Of(data.Int16), int16(n)
		case n == int64(int32(n)):
			return data.Of(data.Int32), int32(n)
		default:
			return data.Of(data.Int64), n
		}
	}
	if d.Scale != 0 {
		if f, _ := strconv.ParseFloat(token, 32); !math.IsInf(f, 0) {
			return data.Of(data.Float32), float32(f)
		}
		if f, _ := strconv.ParseFloat(token, 64); !math.IsInf(f, 0) {
			return data.Of(data.Float64), f
		}
	}
	return data.DecimalSchema(d.Scale), d
}
