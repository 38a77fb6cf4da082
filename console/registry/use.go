package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
)

// Bounds of looking for a subject's schemas in topics.
const (
	// useTopics is how many topics are looked at, useRecords how many of the newest records of each.
	useTopics  = 100
	useRecords = 20
)

// SubjectUse implements api.Schemas. Topics that the subject is named after come first, and are
// answered though no record of them has one of its schemas.
func (e *Engine) SubjectUse(ctx context.Context, subject string) (api.SubjectUse, error) {
	out := api.SubjectUse{Subject: subject, Topics: []api.TopicUse{}}
	versions, err := e.versions(ctx, subject)
	if err != nil {
		return out, err
	}
	ids, problem := e.ids(ctx, subject, versions)
	if problem != "" {
		out.Problems = append(out.Problems, problem)
	}
	names, more, err := e.candidates(ctx, subject)
	if err != nil {
		return out, err
	}
	out.Left = more
	bounded, stop := context.WithTimeout(ctx, e.useTime)
	defer stop()
	found := make([][]api.TopicUse, len(names))
	failed := make([]error, len(names))
	each(len(names), func(i int) { found[i], failed[i] = e.look(bounded, names[i], subject, ids) })
	for i, err := range failed {
		switch {
		case bounded.Err() != nil && err != nil:
			out.Left++
		case err != nil:
			out.Problems = append(out.Problems, names[i]+": "+err.Error())
		default:
			out.Looked++
		}
		out.Topics = append(out.Topics, found[i]...)
	}
	return out, e.addGroups(ctx, &out)
}

// ids of the subject's schemas, with their versions.
func (e *Engine) ids(ctx context.Context, subject string, versions []int) (map[int64][]int, string) {
	slices.SortFunc(versions, func(a, b int) int { return abs(b) - abs(a) })
	problem := ""
	if len(versions) > maxVersions {
		versions, problem = versions[:maxVersions], fmt.Sprintf("only the newest %d versions are looked for", maxVersions)
	}
	all := make([]stored, len(versions))
	failed := make([]error, len(versions))
	each(len(versions), func(i int) { all[i], failed[i] = e.version(ctx, subject, abs(versions[i])) })
	ids := map[int64][]int{}
	for i, v := range all {
		if failed[i] != nil {
			problem = fmt.Sprintf("version %d is not looked for: %v", abs(versions[i]), failed[i])
			continue
		}
		ids[v.ID] = append(ids[v.ID], v.Version)
	}
	return ids, problem
}

// candidates are topics in the order in which they are looked at, and how many others there are.
func (e *Engine) candidates(ctx context.Context, subject string) (names []string, more int, err error) {
	page, err := e.topics.Topics(ctx, api.TopicQuery{PageQuery: api.PageQuery{Limit: maxLimit}})
	if err != nil {
		return nil, 0, err
	}
	for _, t := range page.Items {
		names = append(names, t.Name)
	}
	more = max(0, int(page.Total)-len(names))
	if own, _ := e.named(subject); own != "" {
		for _, name := range []string{own, e.kafka.Prefix + own} {
			if slices.Contains(names, name) || more == 0 {
				continue
			}
			if _, err := e.topics.Topic(ctx, name); err == nil {
				names, more = append(names, name), more-1
			}
		}
	}
	rank := func(name string) int {
		local := strings.TrimPrefix(name, e.kafka.Prefix)
		switch own, _ := e.named(subject); {
		case own != "" && (name == own || local == own):
			return 0
		case strings.HasPrefix(subject, local+"-"), strings.HasPrefix(subject, name+"-"):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	if len(names) > useTopics {
		more += len(names) - useTopics
		names = names[:useTopics]
	}
	return names, more, nil
}

// named is the topic whose name the subject has, and whether it is of its keys or values; "" for
// none. Subjects of other contexts begin with :.context:.
func (e *Engine) named(subject string) (topic, part string) {
	if strings.HasPrefix(subject, ":.") {
		_, subject, _ = strings.Cut(subject[1:], ":")
	}
	if topic, ok := strings.CutSuffix(subject, "-value"); ok {
		return topic, "value"
	}
	if topic, ok := strings.CutSuffix(subject, "-key"); ok {
		return topic, "key"
	}
	return "", ""
}

// look at the newest records of a topic.
func (e *Engine) look(ctx context.Context, topic, subject string, ids map[int64][]int) ([]api.TopicUse, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	page, err := e.topics.Messages(ctx, api.MessageQuery{Topic: topic, Limit: useRecords})
	if err != nil {
		return nil, err
	}
	key, value := api.TopicUse{Topic: topic, Part: "key"}, api.TopicUse{Topic: topic, Part: "value"}
	for _, m := range page.Items {
		count(&key, m.Key.Schema, ids)
		count(&value, m.Value.Schema, ids)
	}
	own, part := e.named(subject)
	var out []api.TopicUse
	for _, u := range []api.TopicUse{key, value} {
		u.Named = part == u.Part && (own == topic || e.kafka.Prefix+own == topic)
		if u.Named || u.Found > 0 {
			slices.Sort(u.Versions)
			out = append(out, u)
		}
	}
	return out, nil
}

// count a record; one that is hidden from the user, or has no schema, has none here.
func count(u *api.TopicUse, s *api.DataSchema, ids map[int64][]int) {
	u.Looked++
	if s == nil {
		return
	}
	versions, ok := ids[s.ID]
	switch {
	case !ok && s.Type != "" && !slices.Contains(u.Others, s.ID):
		u.Others = append(u.Others, s.ID)
	case ok:
		u.Found++
		for _, v := range versions {
			if !slices.Contains(u.Versions, v) {
				u.Versions = append(u.Versions, v)
			}
		}
	}
}

// addGroups adds who reads the topics.
func (e *Engine) addGroups(ctx context.Context, out *api.SubjectUse) error {
	if len(out.Topics) == 0 {
		return nil
	}
	page, err := e.groups.Groups(ctx, api.PageQuery{Limit: maxLimit})
	if err != nil {
		out.Problems = append(out.Problems, "groups: "+err.Error())
		return ctx.Err()
	}
	if page.Next != "" {
		out.Problems = append(out.Problems, fmt.Sprintf("only the first %d of %d groups were looked at", len(page.Items), page.Total))
	}
	for i := range out.Topics {
		out.Topics[i].Groups = []string{}
		for _, g := range page.Items {
			if slices.Contains(g.Topics, out.Topics[i].Topic) {
				out.Topics[i].Groups = append(out.Topics[i].Groups, g.Name)
			}
		}
	}
	return nil
}
