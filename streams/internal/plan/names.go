package plan

// Names gives topics their full names.
type Names struct {
	// Prefix of every topic, kafka.Config.Prefix.
	Prefix      string
	Application string
}

// Topic is the full name of t.
func (n Names) Topic(t Topic) string {
	if t.Repartition {
		return n.Prefix + n.Application + "-" + t.Described()
	}
	return n.Prefix + t.Name
}

// Described is the name in a topology's description: that of a repartition topic has its
// suffix.
func (t Topic) Described() string {
	if t.Repartition && !t.Unsuffixed {
		return t.Name + "-repartition"
	}
	return t.Name
}

// Changelog is the full name of a store's changelog, "" where it has none.
func (n Names) Changelog(s *Store) string {
	switch {
	case s.Source != nil:
		return n.Topic(*s.Source)
	case !s.Logged || s.Global:
		return ""
	}
	return n.Prefix + n.Application + "-" + s.Name + "-changelog"
}
