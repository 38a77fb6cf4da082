package core

import "slices"

func referenced(v *Version) error {
	return errorf(ReferenceExists, "One or more references exist to the schema %s.", v.key())
}

// DeleteVersion answers the version's number. For ever is what was deleted before.
func (s *State) DeleteVersion(subject string, version int, permanent bool) (int, []Record, error) {
	v, err := s.Version(subject, version, true)
	if err != nil {
		return 0, nil, err
	}
	if v.Deleted && !permanent {
		return 0, nil, errorf(VersionSoftDeleted, "Subject '%s' Version %d was soft deleted.Set permanent=true to delete permanently", subject, v.Version)
	}
	if err := s.checkWritable(subject); err != nil {
		return 0, nil, err
	}
	if len(s.referring(v, permanent)) > 0 {
		return 0, nil, referenced(v)
	}
	if !permanent {
		return v.Version, s.finish([]Record{put(v.deleted())}), nil
	}
	if !v.Deleted {
		return 0, nil, errorf(VersionNotSoftDeleted, "Subject '%s' Version %d was not deleted first before being permanently deleted", subject, v.Version)
	}
	records := []Record{remove(v)}
	if len(s.subjects[subject]) == 1 {
		records = append(records, s.withoutSettings(subject)...)
	}
	return v.Version, s.finish(records, v), nil
}

// withoutSettings removes mode and configuration of a subject that goes.
func (s *State) withoutSettings(subject string) []Record {
	var records []Record
	if _, ok := s.modes[subject]; ok {
		records = append(records, Record{Key: settingKey(keyMode, subject)})
	}
	if _, ok := s.configs[subject]; ok {
		records = append(records, Record{Key: settingKey(keyConfig, subject)})
	}
	return records
}

// DeleteSubject answers the numbers of the versions that are deleted.
func (s *State) DeleteSubject(subject string, permanent bool) ([]int, []Record, error) {
	if !s.hasSubject(subject, true) {
		return nil, nil, subjectNotFound(subject)
	}
	if !permanent && !s.hasSubject(subject, false) {
		return nil, nil, errorf(SubjectSoftDeleted, "Subject '%s' was soft deleted.Set permanent=true to delete permanently", subject)
	}
	if err := s.checkWritable(subject); err != nil {
		return nil, nil, err
	}
	which := Undeleted
	if permanent {
		which = All
	}
	versions := s.Versions(subject, which)
	numbers := make([]int, len(versions))
	for i, v := range versions {
		numbers[i] = v.Version
		if slices.ContainsFunc(s.referring(v, permanent), func(r *Version) bool { return r.Subject != subject }) {
			return nil, nil, referenced(v)
		}
		if permanent && !v.Deleted {
			return nil, nil, errorf(SubjectNotSoftDeleted, "Subject '%s' was not deleted first before being permanently deleted", subject)
		}
	}
	if !permanent {
		last := numbers[len(numbers)-1]
		return numbers, s.finish([]Record{{settingKey(keyDeleteSubject, subject), marshal(subjectValue{subject, last})}}), nil
	}
	var records []Record
	for _, v := range slices.Backward(versions) { // what refers to another first
		records = append(records, remove(v))
	}
	return numbers, s.finish(append(records, s.withoutSettings(subject)...), versions...), nil
}

// DeleteContext removes a context that has no subjects.
func (s *State) DeleteContext(context string) ([]Record, error) {
	scope := Join(context, "")
	if context == DefaultContext || s.HasSubjects(scope, true) {
		return nil, errorf(ContextNotEmpty, "The specified context '%s' is not empty.", scope)
	}
	return s.finish([]Record{{Key: marshal(recordKey{Type: keyContext, Tenant: defaultTenant, Context: context})}}), nil
}
