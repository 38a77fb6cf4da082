package message

import (
	"fmt"
	"time"
)

// Date is a day without a time. Its text, and in JSON its value, is "2026-11-20".
type Date struct {
	// at is its midnight in UTC; zero is no date.
	at time.Time
}

// DateOf is the day that t has in UTC.
func DateOf(t time.Time) Date {
	year, month, day := t.UTC().Date()
	return Date{time.Date(year, month, day, 0, 0, 0, 0, time.UTC)}
}

// ParseDate reads "2026-11-20", and nothing else.
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil || t.IsZero() { // the first day of all is how no date is kept
		return Date{}, fmt.Errorf("%.40q is not a date like 2026-11-20", text)
	}
	return Date{t}, nil
}

// Time is the day's midnight in UTC.
func (d Date) Time() time.Time { return d.at }

func (d Date) String() string { return d.at.Format(time.DateOnly) }

// MarshalText is String.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is ParseDate.
func (d *Date) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDate(string(text))
	return err
}
