package admin

import "net/url"

func writeEntityQuery(q EntityQuery) url.Values {
	v := url.Values{}
	put(v, "type", q.Type)
	put(v, "kind", string(q.Kind))
	put(v, "prefix", q.Prefix)
	put(v, "after", q.After)
	putInt(v, "limit", int64(q.Limit))
	return v
}

func readEntityQuery(v url.Values) (EntityQuery, error) {
	p := params{v: v}
	q := EntityQuery{Type: p.text("type"), Kind: Kind(p.text("kind")), Prefix: p.text("prefix"), After: p.text("after"), Limit: int(p.int("limit", 32))}
	return q, p.end()
}

func writeEventQuery(q EventQuery) url.Values {
	v := writeStateQuery(StateQuery{From: q.From, To: q.To})
	putInt(v, "limit", int64(q.Limit))
	return v
}

func readEventQuery(v url.Values) (EventQuery, error) {
	p := params{v: v}
	q := EventQuery{From: p.int("from", 64), To: p.int("to", 64), Limit: int(p.int("limit", 32))}
	return q, p.end()
}

func writeStateQuery(q StateQuery) url.Values {
	v := url.Values{}
	putInt(v, "from", q.From)
	putInt(v, "to", q.To)
	return v
}

func readStateQuery(v url.Values) (StateQuery, error) {
	p := params{v: v}
	q := StateQuery{From: p.int("from", 64), To: p.int("to", 64)}
	return q, p.end()
}
