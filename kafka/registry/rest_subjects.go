package registry

import (
	"errors"
	"net/http"

	"github.com/pabal-dev/pabal/kafka/registry/internal/core"
)

func which(r *http.Request) core.Which {
	switch {
	case flag(r, "deletedOnly"):
		return core.DeletedOnly
	case flag(r, "deleted"):
		return core.All
	}
	return core.Undeleted
}

func (a *api) subjects(r *http.Request) (any, error) {
	prefix := core.AnyContext
	context, _ := r.Context().Value(contextKey{}).(string)
	if given := r.URL.Query(); given.Has("subjectPrefix") || context != core.DefaultContext {
		prefix = qualified(r, given.Get("subjectPrefix"))
	}
	var all []string
	err := a.registry.look(func(s *core.State) error {
		all = s.Subjects(prefix, which(r))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return page(r, all, mostNames)
}

// lookup answers the version that has a schema.
func (a *api) lookup(r *http.Request) (any, error) {
	request, err := readSchema(r)
	if err != nil {
		return nil, err
	}
	subject := a.subject(r)
	a.registry.warm(subject, request)
	var body versionBody
	err = a.registry.read(r.Context(), func(s *core.State) error {
		v, err := s.Lookup(subject, request, flag(r, "deleted"))
		if err != nil {
			return err
		}
		body = versionOf(v)
		body.Schema, err = s.Text(v, r.URL.Query().Get("format"))
		return err
	})
	return body, err
}

func (a *api) deleteSubject(r *http.Request) (any, error) {
	subject, numbers := a.subject(r), []int(nil)
	err := a.registry.change(r.Context(), func(s *core.State) (records []core.Record, err error) {
		numbers, records, err = s.DeleteSubject(subject, flag(r, "permanent"))
		return records, err
	})
	return numbers, err
}

func (a *api) versions(r *http.Request) (any, error) {
	subject, numbers := a.subject(r), []int(nil)
	list, negative := which(r), flag(r, "deletedAsNegative")
	if negative {
		list = core.All
	}
	err := a.registry.read(r.Context(), func(s *core.State) error {
		numbers = nil
		all, err := s.SubjectVersions(subject, list)
		for _, v := range all {
			if negative && v.Deleted {
				numbers = append(numbers, -v.Version)
			} else {
				numbers = append(numbers, v.Version)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return page(r, numbers, mostNames)
}

// register answers the id. What is registered already is found without writing.
func (a *api) register(r *http.Request) (any, error) {
	request, err := readSchema(r)
	if err != nil {
		return nil, err
	}
	subject, body := a.subject(r), registeredBody{}
	a.registry.warm(subject, request)
	decide := func(s *core.State) ([]core.Record, error) {
		v, records, err := s.Register(subject, request)
		if err == nil {
			body = registeredBody{v.Version, v.ID, bodyOf(v)}
			body.Schema, err = s.Text(v, r.URL.Query().Get("format"))
		}
		return records, err
	}
	found := false
	err = a.registry.look(func(s *core.State) error {
		records, err := decide(s)
		found = err == nil && len(records) == 0
		return err
	})
	var refused *core.Error
	if found || errors.As(err, &refused) && refused.Code == core.SchemaTooLarge {
		return body, err
	}
	return body, a.registry.change(r.Context(), decide)
}

func (a *api) withVersion(r *http.Request, deleted bool, use func(*core.State, *core.Version) error) error {
	number, err := core.ParseVersion(r.PathValue("version"))
	if err != nil {
		return err
	}
	subject := a.subject(r)
	return a.registry.read(r.Context(), func(s *core.State) error {
		v, err := s.Version(subject, number, deleted)
		if err != nil {
			return err
		}
		return use(s, v)
	})
}

func (a *api) byVersion(r *http.Request) (any, error) {
	var body versionBody
	err := a.withVersion(r, flag(r, "deleted"), func(s *core.State, v *core.Version) (err error) {
		body = versionOf(v)
		body.References = references(r, v)
		body.Schema, err = s.Text(v, r.URL.Query().Get("format"))
		return err
	})
	return body, err
}

// references of a version, with ?referenceFormat=qualified with the contexts of their subjects.
func references(r *http.Request, v *core.Version) []core.Reference {
	if r.URL.Query().Get("referenceFormat") != "qualified" {
		return v.References
	}
	out := make([]core.Reference, len(v.References))
	for i, ref := range v.References {
		ref.Subject = core.Qualify(v.Subject, ref.Subject)
		out[i] = ref
	}
	return out
}

func (a *api) textByVersion(r *http.Request) (any, error) {
	var body string
	err := a.withVersion(r, flag(r, "deleted"), func(s *core.State, v *core.Version) (err error) {
		body, err = s.Text(v, r.URL.Query().Get("format"))
		return err
	})
	return text(body), err
}

func (a *api) referencedBy(r *http.Request) (any, error) {
	var ids []int
	err := a.withVersion(r, true, func(s *core.State, v *core.Version) error {
		ids = s.ReferencedBy(v, flag(r, "deleted"))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return page(r, ids, mostListed)
}

func (a *api) deleteVersion(r *http.Request) (any, error) {
	version, err := core.ParseVersion(r.PathValue("version"))
	if err != nil {
		return nil, err
	}
	subject, deleted := a.subject(r), 0
	err = a.registry.change(r.Context(), func(s *core.State) (records []core.Record, err error) {
		deleted, records, err = s.DeleteVersion(subject, version, flag(r, "permanent"))
		return records, err
	})
	return deleted, err
}

type compatibleBody struct {
	Compatible bool     `json:"is_compatible"`
	Messages   []string `json:"messages,omitempty"`
}

// compatible compares with one version, or as registering would.
func (a *api) compatible(r *http.Request) (any, error) {
	request, err := readSchema(r)
	if err != nil {
		return nil, err
	}
	version := 0
	if given := r.PathValue("version"); given != "" {
		if version, err = core.ParseVersion(given); err != nil {
			return nil, err
		}
	}
	subject, reasons := a.subject(r), []string(nil)
	a.registry.warm(subject, request)
	err = a.registry.read(r.Context(), func(s *core.State) (err error) {
		reasons, err = s.Compatible(subject, request, version)
		return err
	})
	var refused *core.Error
	if flag(r, "verbose") && errors.As(err, &refused) && refused.Code == core.InvalidSchema {
		return compatibleBody{false, []string{refused.Message}}, nil
	}
	body := compatibleBody{Compatible: len(reasons) == 0}
	if flag(r, "verbose") {
		body.Messages = reasons
	}
	return body, err
}
