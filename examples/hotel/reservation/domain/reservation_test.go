package domain

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func at(day int) time.Time { return time.Date(2026, 11, day, 0, 0, 0, 0, time.UTC) }

// TestTransitions: every input in every state.
func TestTransitions(t *testing.T) {
	inputs := map[string]func(Reservation) (Reservation, bool){
		"confirm":    Reservation.Confirm,
		"fail":       func(r Reservation) (Reservation, bool) { return r.Fail("no") },
		"given back": Reservation.GivenBack,
	}
	for _, test := range []struct {
		before Status
		input  string
		after  Status // "" where nothing changes
	}{
		{Pending, "confirm", Confirmed}, {Pending, "fail", Failed}, {Pending, "given back", ""},
		{Confirmed, "confirm", ""}, {Confirmed, "fail", ""}, {Confirmed, "given back", ""},
		{Failed, "confirm", ""}, {Failed, "fail", ""}, {Failed, "given back", ""},
		{Cancelling, "confirm", ""}, {Cancelling, "fail", ""}, {Cancelling, "given back", Cancelled},
		{Cancelled, "confirm", ""}, {Cancelled, "fail", ""}, {Cancelled, "given back", ""},
	} {
		r := New(1, 7, 3, at(20), at(22))
		r.Status = test.before
		after, changed := inputs[test.input](r)
		if changed != (test.after != "") || !changed && after != r || changed && after.Status != test.after {
			t.Errorf("%s, %s: %s, %v", test.before, test.input, after.Status, changed)
		}
	}
}

func TestCancel(t *testing.T) {
	for before, want := range map[Status]Status{
		Pending: Cancelling, Confirmed: Cancelling, Cancelling: Cancelling, Cancelled: Cancelled, Failed: Failed,
	} {
		r := New(1, 7, 3, at(20), at(22))
		r.Status = before
		after, changed, err := r.Cancel()
		if after.Status != want || changed != (before != want) || errors.Is(err, ErrOver) != (before == Failed) {
			t.Errorf("%s: %s, %v, %v", before, after.Status, changed, err)
		}
	}
}

func TestFailedSaysWhy(t *testing.T) {
	if r, _ := New(1, 7, 3, at(20), at(22)).Fail("no room"); r.Reason != "no room" {
		t.Errorf("%+v", r)
	}
}

func TestCheckPeriod(t *testing.T) {
	for out, want := range map[time.Time]string{
		at(21): "", at(20).AddDate(0, 0, MaxNights): "",
		at(20): "must be after", at(19): "must be after",
		at(20).AddDate(0, 0, MaxNights+1): "at most 366", at(20).AddDate(7000, 0, 0): "at most 366",
	} {
		err := CheckPeriod(at(20), out)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", out, err)
		}
	}
}
