package pages

import (
	"context"
	"net/http"

	"github.com/pabal-dev/pabal/console/api"
)

type topicsBody struct {
	Query  api.TopicQuery
	Topics part[api.Page[api.TopicSummary]]
}

func (h *handler) topics(ctx context.Context, r *http.Request) (content, error) {
	q := api.TopicQuery{PageQuery: pageQuery(r), Internal: param(r, "internal") == "true"}
	page, err := h.Engines.Topics.Topics(ctx, q)
	c := content{template: "topics", title: "Topics", section: "topics", body: topicsBody{q, ask(page, err)}}
	return c, onlyFatal(err)
}

// onlyFatal keeps an error for which the page as a whole cannot be; others are
// notices within it.
func onlyFatal(err error) error {
	if fatal(err) {
		return err
	}
	return nil
}

// topicBody is a topic; Tab says which part is open, and only that is filled.
type topicBody struct {
	Name string
	Tab  string
	part[api.Topic]
	Browse   browse
	Messages part[api.Messages]
}

// browse is the form of the message browser, as it was sent.
type browse struct {
	From, At  string
	Partition string
	Filter    string
	Full      bool
	Query     api.MessageQuery
}

func (h *handler) topic(ctx context.Context, r *http.Request) (content, error) {
	b := topicBody{Name: r.PathValue("topic"), Tab: param(r, "tab")}
	c := content{template: "topic", title: b.Name, section: "topics"}
	var formErr, topicErr error
	b.Browse, formErr = browseForm(b.Name, r)
	gather(
		func() {
			b.Value, topicErr = h.Engines.Topics.Topic(ctx, b.Name)
			b.Problem = problemOf(topicErr)
		},
		func() {
			if b.Tab == "" && formErr == nil {
				b.Messages = ask(h.Engines.Topics.Messages(ctx, b.Browse.Query))
			}
		},
	)
	if formErr != nil {
		b.Messages.Problem = problemOf(formErr)
	}
	c.body = b
	return c, onlyFatal(topicErr)
}

func browseForm(topic string, r *http.Request) (browse, error) {
	b := browse{Filter: param(r, "filter"), Partition: param(r, "partition"), Full: param(r, "full") == "true"}
	b.From, b.At = splitFrom(param(r, "from"), param(r, "at"))
	b.Query = api.MessageQuery{Topic: topic, Filter: b.Filter, Full: b.Full, Limit: 50}
	partition, err := partitionParam(r)
	if err != nil {
		return b, err
	}
	b.Query.Partition = partition
	if b.From == "" {
		b.From = "latest"
	}
	if next := param(r, "next"); next != "" {
		b.Query.From = next
		return b, nil
	}
	b.Query.From, err = fromParam(b.From, b.At)
	return b, err
}
