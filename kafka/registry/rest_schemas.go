package registry

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/registry/internal/core"
)

func (a *api) root(*http.Request) (any, error) { return struct{}{}, nil }

type clusterBody struct {
	Scope struct {
		Path     []string          `json:"path"`
		Clusters map[string]string `json:"clusters"`
	} `json:"scope"`
	ID string `json:"id"`
}

func (a *api) clusterID(r *http.Request) (any, error) {
	client, err := kafka.NewClient(a.registry.cfg.Kafka)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	meta, err := kadm.NewClient(client).BrokerMetadata(r.Context())
	if err != nil {
		return nil, storeError(err)
	}
	var body clusterBody
	body.Scope.Path = []string{}
	body.Scope.Clusters = map[string]string{"kafka-cluster": meta.Cluster, "schema-registry-cluster": "schema-registry"}
	return body, nil
}

func (a *api) version(*http.Request) (any, error) {
	return map[string]string{"version": Version, "commitId": "pabal"}, nil
}

func (a *api) types(*http.Request) (any, error) { return core.Types, nil }

func (a *api) schemas(r *http.Request) (any, error) {
	prefix := qualified(r, r.URL.Query().Get("subjectPrefix"))
	var all []versionBody
	err := a.registry.look(func(s *core.State) error {
		for _, v := range s.AllVersions(prefix, flag(r, "deleted"), flag(r, "latestOnly")) {
			all = append(all, versionOf(v))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return page(r, all, mostListed)
}

// scope of a request for an id: the subject it names, in the context of its path.
func (a *api) scope(r *http.Request) (scope string, id int, err error) {
	n, err := strconv.ParseInt(r.PathValue("id"), 10, 32)
	if err != nil {
		return "", 0, &core.Error{Code: http.StatusNotFound, Message: "HTTP 404 Not Found"}
	}
	return qualified(r, r.URL.Query().Get("subject")), int(n), nil
}

func (a *api) byID(r *http.Request) (any, error) {
	scope, id, err := a.scope(r)
	if err != nil {
		return nil, err
	}
	var body idBody
	err = a.registry.read(r.Context(), func(s *core.State) error {
		v, err := s.ByID(scope, id)
		if err != nil {
			return err
		}
		body.schemaBody = bodyOf(v)
		body.References = references(r, v)
		if scope != "" {
			body.Subject, body.Version = v.Subject, v.Version
		}
		if flag(r, "fetchMaxId") {
			body.MaxID = s.HighestID(v.Subject)
		}
		body.Schema, err = s.Text(v, r.URL.Query().Get("format"))
		return err
	})
	return body, err
}

func (a *api) textByID(r *http.Request) (any, error) {
	body, err := a.byID(r)
	if err != nil {
		return nil, err
	}
	return text(body.(idBody).Schema), nil
}

func (a *api) sharing(r *http.Request) ([]*core.Version, error) {
	scope, id, err := a.scope(r)
	if err != nil {
		return nil, err
	}
	var all []*core.Version
	err = a.registry.read(r.Context(), func(s *core.State) (err error) {
		all, err = s.VersionsByID(scope, id, flag(r, "deleted"))
		return err
	})
	return all, err
}

func (a *api) subjectsByID(r *http.Request) (any, error) {
	all, err := a.sharing(r)
	if err != nil {
		return nil, err
	}
	var names []string
	for i, v := range all {
		if i == 0 || all[i-1].Subject != v.Subject {
			names = append(names, v.Subject)
		}
	}
	return page(r, names, mostNames)
}

func (a *api) versionsByID(r *http.Request) (any, error) {
	all, err := a.sharing(r)
	if err != nil {
		return nil, err
	}
	var places []place
	for _, v := range all {
		places = append(places, place{v.Subject, v.Version})
	}
	return page(r, places, mostNames)
}

func (a *api) byGUID(r *http.Request) (any, error) {
	var body idBody
	err := a.registry.read(r.Context(), func(s *core.State) error {
		v, err := s.ByGUID(r.PathValue("guid"))
		if err != nil {
			return err
		}
		body.schemaBody = bodyOf(v)
		body.Schema, err = s.Text(v, r.URL.Query().Get("format"))
		return err
	})
	return body, err
}

func (a *api) idsByGUID(r *http.Request) (any, error) {
	ids := []contextID{}
	err := a.registry.look(func(s *core.State) error {
		for _, v := range s.AllByGUID(r.PathValue("guid")) {
			context, _ := core.Split(v.Subject)
			ids = append(ids, contextID{context, v.ID})
		}
		return nil
	})
	return ids, err
}

func (a *api) contexts(r *http.Request) (any, error) {
	var all []string
	err := a.registry.look(func(s *core.State) error {
		all = s.Contexts()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return page(r, all, mostNames)
}

func (a *api) deleteContext(r *http.Request) (any, error) {
	name, err := contextName(r.PathValue("context"))
	if err != nil {
		return nil, fmt.Errorf("delete a context: %w", err)
	}
	return nothing{}, a.registry.change(r.Context(), func(s *core.State) ([]core.Record, error) { return s.DeleteContext(name) })
}
