package core

import (
	"slices"
	"strings"
)

// Mode says what may be done to a subject.
type Mode string

// Modes.
const (
	ReadWrite Mode = "READWRITE"
	ReadOnly  Mode = "READONLY"
	// ReadOnlyOverride of a context, or of all, holds for subjects that have modes of their own, too.
	ReadOnlyOverride Mode = "READONLY_OVERRIDE"
	// Import takes schemas with their ids and versions, and compares nothing.
	Import Mode = "IMPORT"
	// forwardMode is another registry's; here it is like Import.
	forwardMode Mode = "FORWARD"
)

func (m Mode) readOnly() bool { return m == ReadOnly || m == ReadOnlyOverride }
func (m Mode) imports() bool  { return m == Import || m == forwardMode }

// ModeOf is the mode of a subject alone; false where it has none. The global one is there always.
func (s *State) ModeOf(subject string) (Mode, bool) {
	if m, ok := s.modes[subject]; ok {
		return m, true
	}
	return ReadWrite, subject == "" || subject == Join(globalContext, "")
}

// ModeInScope is the mode that holds for a subject.
func (s *State) ModeInScope(subject string) Mode {
	all := scopes(subject)
	for _, scope := range all[1:] {
		if s.modes[scope] == ReadOnlyOverride {
			return ReadOnlyOverride
		}
	}
	for _, scope := range all {
		if m, ok := s.modes[scope]; ok {
			return m
		}
	}
	return ReadWrite
}

func (s *State) checkWritable(subject string) error {
	if s.ModeInScope(subject).readOnly() {
		return errorf(NotPermitted, "Subject %s in context %s is in read-only mode", subject, contextOf(subject))
	}
	return nil
}

// checkRegister tells whether a schema may be registered, with an id or without.
func (s *State) checkRegister(subject string, withID bool) error {
	mode := s.ModeInScope(subject)
	switch {
	case mode.readOnly():
		return s.checkWritable(subject)
	case withID && !mode.imports():
		return errorf(NotPermitted, "Subject %s in context %s is not in import mode", subject, contextOf(subject))
	case !withID && mode != ReadWrite:
		return errorf(NotPermitted, "Subject %s in context %s is not in read-write mode", subject, contextOf(subject))
	}
	return nil
}

// ParseMode reads a mode of a request.
func ParseMode(text string) (Mode, error) {
	m := Mode(strings.ToUpper(text))
	if !slices.Contains([]Mode{ReadWrite, ReadOnly, ReadOnlyOverride, Import}, m) {
		return "", errorf(InvalidMode, "Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE and IMPORT.")
	}
	return m, nil
}

// SetMode sets a mode, or removes it where it is empty. Import needs a scope without schemas, unless
// it is forced; those that are deleted, but not for ever, are then.
func (s *State) SetMode(subject string, mode Mode, force bool) ([]Record, error) {
	if err := CheckSubject(subject, true); err != nil {
		return nil, err
	}
	var records []Record
	var removed []*Version
	if mode == Import && s.ModeInScope(subject) != Import && !force {
		if s.HasSubjects(subject, false) {
			return nil, errorf(NotPermitted, "Cannot import since found existing subjects")
		}
		removed = s.versions(func(v *Version) bool { return covers(subject, v.Subject) })
		for _, v := range removed {
			if len(s.referring(v, true)) > 0 {
				return nil, referenced(v)
			}
			records = append(records, remove(v))
		}
		records = append(records, Record{settingKey(keyClearSubject, subject), marshal(subjectValue{Subject: subject})})
	}
	r := Record{Key: settingKey(keyMode, subject)}
	if mode != "" {
		r.Value = marshal(modeValue{subject, mode})
	}
	return s.finish(append(records, r), removed...), nil
}

// DeleteMode answers the mode that was; recursive also deletes those of the subjects of a context.
func (s *State) DeleteMode(subject string, recursive bool) (Mode, []Record, error) {
	old, ok := s.ModeOf(subject)
	if !ok && !recursive {
		return "", nil, subjectNotFound(subject)
	}
	if !ok {
		old = ""
	}
	records := []Record{{Key: settingKey(keyMode, subject)}}
	if recursive && isContext(subject) {
		context, _ := Split(subject)
		for other := range s.modes {
			if own, _ := Split(other); own == context && other != subject {
				records = append(records, Record{Key: settingKey(keyMode, other)})
			}
		}
	}
	return old, s.finish(records), nil
}
