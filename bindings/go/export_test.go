package palitra

// What tests may see of the inside.

// Waiting counts the jobs that the dispatcher expects news of: what was forgotten would stay here.
func (r *Runner) Waiting() int {
	r.core.mu.Lock()
	defer r.core.mu.Unlock()
	return len(r.core.waiting)
}
