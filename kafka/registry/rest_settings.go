package registry

import (
	"net/http"

	"github.com/pabal-dev/pabal/kafka/registry/internal/core"
)

// The subject of these is empty for the configuration of all, or of the context of the path.

func (a *api) config(r *http.Request) (any, error) {
	subject := qualified(r, r.PathValue("subject"))
	var c core.Config
	err := a.registry.read(r.Context(), func(s *core.State) error {
		if flag(r, "defaultToGlobal") {
			c = s.ConfigInScope(subject)
			return nil
		}
		var ok bool
		if c, ok = s.ConfigOf(subject); !ok {
			return &core.Error{Code: core.NoSubjectCompatibility, Message: "Subject '" + subject + "' does not have subject-level compatibility configured"}
		}
		return nil
	})
	return c.Answer(), err
}

func (a *api) setConfig(r *http.Request) (any, error) {
	var request, c core.Config
	if err := read(r, &request); err != nil {
		return nil, err
	}
	subject := qualified(r, r.PathValue("subject"))
	err := a.registry.change(r.Context(), func(s *core.State) (records []core.Record, err error) {
		c, records, err = s.SetConfig(subject, request)
		return records, err
	})
	return c.Updated(), err
}

func (a *api) deleteConfig(r *http.Request) (any, error) {
	subject, old := qualified(r, r.PathValue("subject")), core.Config(nil)
	err := a.registry.change(r.Context(), func(s *core.State) (records []core.Record, err error) {
		old, records, err = s.DeleteConfig(subject)
		return records, err
	})
	return old.Answer(), err
}

type modeBody struct {
	Mode *core.Mode `json:"mode"`
}

func (a *api) mode(r *http.Request) (any, error) {
	subject := qualified(r, r.PathValue("subject"))
	var m core.Mode
	err := a.registry.read(r.Context(), func(s *core.State) error {
		if flag(r, "defaultToGlobal") {
			m = s.ModeInScope(subject)
			return nil
		}
		var ok bool
		if m, ok = s.ModeOf(subject); !ok {
			return &core.Error{Code: core.NoSubjectMode, Message: "Subject '" + subject + "' does not have subject-level mode configured"}
		}
		return nil
	})
	return modeBody{&m}, err
}

func (a *api) setMode(r *http.Request) (any, error) {
	var request modeBody
	if err := read(r, &request); err != nil {
		return nil, err
	}
	var m core.Mode
	if request.Mode != nil {
		var err error
		if m, err = core.ParseMode(string(*request.Mode)); err != nil {
			return nil, err
		}
	}
	subject := qualified(r, r.PathValue("subject"))
	err := a.registry.change(r.Context(), func(s *core.State) ([]core.Record, error) { return s.SetMode(subject, m, flag(r, "force")) })
	return request, err
}

func (a *api) deleteMode(r *http.Request) (any, error) {
	subject, old := qualified(r, r.PathValue("subject")), core.Mode("")
	err := a.registry.change(r.Context(), func(s *core.State) (records []core.Record, err error) {
		old, records, err = s.DeleteMode(subject, flag(r, "recursive"))
		return records, err
	})
	if old == "" {
		return modeBody{}, err
	}
	return modeBody{&old}, err
}
