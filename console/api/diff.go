package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// MaxChanges bounds what Diff lists.
const MaxChanges = 500

// Diff lists what makes of one JSON value another, by place; more says that it
// stopped at MaxChanges. A missing value (empty) is none. Of arrays the equal
// beginning and end are left aside, and what is between is compared by position.
// Numbers are the same where they are written the same or have the same value.
func Diff(before, after json.RawMessage) (changes []Change, more bool, err error) {
	was, hadOne, err := decodeJSON(before)
	if err != nil {
		return nil, false, fmt.Errorf("%w: the value before is not JSON: %w", ErrInvalid, err)
	}
	is, hasOne, err := decodeJSON(after)
	if err != nil {
		return nil, false, fmt.Errorf("%w: the value after is not JSON: %w", ErrInvalid, err)
	}
	d := differ{}
	switch {
	case hadOne && hasOne:
		d.values("", was, is)
	case hasOne:
		d.add(Added, "", nil, is)
	case hadOne:
		d.add(Removed, "", was, nil)
	}
	return d.changes, d.more, d.err
}

func decodeJSON(data json.RawMessage) (value any, there bool, err error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, false, nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	err = d.Decode(&value)
	return value, true, err
}

type differ struct {
	changes []Change
	more    bool
	err     error
}

func (d *differ) values(path string, was, is any) {
	if d.more {
		return
	}
	switch w := was.(type) {
	case map[string]any:
		if i, ok := is.(map[string]any); ok {
			d.objects(path, w, i)
			return
		}
	case []any:
		if i, ok := is.([]any); ok {
			d.arrays(path, w, i)
			return
		}
	}
	if !sameJSON(was, is) {
		d.add(Changed, path, was, is)
	}
}

func (d *differ) objects(path string, was, is map[string]any) {
	names := slices.Collect(maps.Keys(was))
	for name := range is {
		if _, both := was[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		w, had := was[name]
		i, has := is[name]
		at := fieldPath(path, name)
		switch {
		case had && has:
			d.values(at, w, i)
		case has:
			d.add(Added, at, nil, i)
		default:
			d.add(Removed, at, w, nil)
		}
	}
}

func (d *differ) arrays(path string, was, is []any) {
	begin := 0
	for begin < min(len(was), len(is)) && sameJSON(was[begin], is[begin]) {
		begin++
	}
	end := 0
	for end < min(len(was), len(is))-begin && sameJSON(was[len(was)-1-end], is[len(is)-1-end]) {
		end++
	}
	for i := begin; i < max(len(was), len(is))-end; i++ {
		at := path + "[" + strconv.Itoa(i) + "]"
		switch {
		case i < len(was)-end && i < len(is)-end:
			d.values(at, was[i], is[i])
		case i < len(is)-end:
			d.add(Added, at, nil, is[i])
		case i < len(was)-end:
			d.add(Removed, at, was[i], nil)
		}
	}
}

func (d *differ) add(kind ChangeKind, path string, was, is any) {
	if len(d.changes) == MaxChanges {
		d.more = true
		return
	}
	c := Change{Kind: kind, Path: path}
	if kind != Added {
		c.Old = d.encode(was)
	}
	if kind != Removed {
		c.New = d.encode(is)
	}
	d.changes = append(d.changes, c)
}

func (d *differ) encode(value any) json.RawMessage {
	var data bytes.Buffer
	e := json.NewEncoder(&data)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil && d.err == nil {
		d.err = err
	}
	return bytes.TrimSuffix(data.Bytes(), []byte("\n"))
}

func sameJSON(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, sameJSON)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, sameJSON)
	case json.Number:
		b, ok := b.(json.Number)
		return ok && sameNumber(a, b)
	}
	return a == b // strings, booleans and null; of other types than b's they differ
}

// sameNumber knows that 1.0 is 1, and does not take two long integers for one
// because a float64 does.
func sameNumber(a, b json.Number) bool {
	if a == b {
		return true
	}
	_, wholeA := strconv.ParseInt(string(a), 10, 64)
	_, wholeB := strconv.ParseInt(string(b), 10, 64)
	if wholeA == nil && wholeB == nil {
		return false
	}
	x, errX := a.Float64()
	y, errY := b.Float64()
	const exact = 1 << 53
	return errX == nil && errY == nil && x == y && x > -exact && x < exact
}
