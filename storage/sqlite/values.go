package sqlite

import (
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// timeFormat is how a time is stored that the user binds: UTC, microseconds,
// in the order of time, understood by SQLite's own functions.
const timeFormat = "2006-01-02 15:04:05.000000+00:00"

// bindable turns arguments the driver would store in its own way.
func bindable(args []any) []any {
	for i, arg := range args {
		switch arg.(type) {
		case time.Time, *time.Time:
			return bindAll(args, i)
		}
	}
	return args
}

func bindAll(args []any, from int) []any {
	args = slices.Clone(args)
	for i, arg := range args[from:] {
		args[from+i] = bindOne(arg)
	}
	return args
}

func bindOne(arg any) any {
	switch v := arg.(type) {
	case time.Time:
		return v.UTC().Format(timeFormat)
	case *time.Time:
		if v == nil {
			return nil
		}
		return v.UTC().Format(timeFormat)
	}
	return arg
}

// scannable lets times be read from columns of any declared type: the driver
// knows only some names.
func scannable(dest []any) []any {
	for i, d := range dest {
		switch d.(type) {
		case *time.Time, **time.Time, *sql.NullTime:
			return scanAll(dest, i)
		}
	}
	return dest
}

func scanAll(dest []any, from int) []any {
	dest = slices.Clone(dest)
	for i, d := range dest[from:] {
		switch v := d.(type) {
		case *time.Time:
			dest[from+i] = timeScanner{func(t time.Time, null bool) error {
				if null {
					return fmt.Errorf("column is NULL: scan it into a **time.Time or *sql.NullTime")
				}
				*v = t
				return nil
			}}
		case **time.Time:
			dest[from+i] = timeScanner{func(t time.Time, null bool) error {
				*v = &t
				if null {
					*v = nil
				}
				return nil
			}}
		case *sql.NullTime:
			dest[from+i] = timeScanner{func(t time.Time, null bool) error {
				*v = sql.NullTime{Time: t, Valid: !null}
				return nil
			}}
		}
	}
	return dest
}

type timeScanner struct {
	set func(t time.Time, null bool) error
}

// Scan implements sql.Scanner.
func (s timeScanner) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		return s.set(time.Time{}, true)
	case time.Time:
		return s.set(v.UTC(), false)
	case string:
		for _, format := range []string{timeFormat, time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", time.DateTime, time.DateOnly} {
			if t, err := time.Parse(format, v); err == nil {
				return s.set(t.UTC(), false)
			}
		}
		return fmt.Errorf("%q is not a time", v)
	}
	return fmt.Errorf("a %T is not a time", src)
}

// micros is a time in our own tables: microseconds since 1970, NULL for none.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func fromMicros(v sql.NullInt64) time.Time {
	if !v.Valid {
		return time.Time{}
	}
	return time.UnixMicro(v.Int64).UTC()
}
