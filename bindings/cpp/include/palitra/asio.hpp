/// Tokens as asynchronous operations of asio: of standalone asio (1.22 or later), or of Boost.Asio (1.74 or later). It is
/// the one that was included before this header; of both, and of none, standalone asio if it is there.
///
///     palitra::Reply page = co_await palitra::async_run(runner, "http.bytes", request, asio::use_awaitable);
///
/// | operation | completes with |
/// |---|---|
/// | `async_run(runner, job, payload, options, completion)` | `void(std::exception_ptr, Reply)` |
/// | `async_wait(token, completion)` | the same |
/// | `async_next(token, completion)`: the next item of a stream | `void(std::exception_ptr, std::optional<Reply>)` |
///
/// Options and completion may be left out: without completion, an operation is deferred, or awaitable in an asio that has
/// no asio::deferred yet. An operation completes exactly once, whatever the runner's fate, also while a job blocks the
/// runner's thread. The exception is a palitra::error; completion tokens that throw throw it. The reply says how the job
/// ended, in any case; there is no item after the last.
///
/// The handler runs on its associated executor, whose context has outstanding work until then. A handler without an
/// executor runs on the runner's thread, where it must not block. If the context is destroyed before, so is the handler,
/// without a call, and a job that nobody else has the token of runs on detached. Its cancellation slot, in an asio that
/// has them, cancels the job of async_run, and of async_wait if that owns the token; of a token that the caller keeps, it
/// only ends the wait, with Status::cancelled, and the job and its items stay.
///
/// Not part of palitra.hpp: include it where asio is used.
#ifndef PALITRA_ASIO_HPP
#define PALITRA_ASIO_HPP

#include <exception>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "runner.hpp"

#if defined(ASIO_VERSION) || (!defined(BOOST_ASIO_VERSION) && __has_include(<asio/version.hpp>))
#include <asio/associated_allocator.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/dispatch.hpp>
#include <asio/execution/context.hpp>
#include <asio/execution/context_as.hpp>
#include <asio/execution/outstanding_work.hpp>
#include <asio/execution_context.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/prefer.hpp>
#include <asio/query.hpp>
#include <asio/system_executor.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/version.hpp>
#if __has_include(<asio/associated_cancellation_slot.hpp>)
#include <asio/associated_cancellation_slot.hpp>
#include <asio/cancellation_type.hpp>
#endif
#if __has_include(<asio/deferred.hpp>)
#include <asio/deferred.hpp>
#endif
#else
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/context_as.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/version.hpp>
#if __has_include(<boost/asio/associated_cancellation_slot.hpp>)
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#endif
#if __has_include(<boost/asio/deferred.hpp>)
#include <boost/asio/deferred.hpp>
#endif
#endif

#include "names_begin.inc"

namespace palitra {

// Two names, so that a program may use both in different files.
#if defined(ASIO_VERSION)
inline namespace with_asio {
namespace asio_detail {
namespace net = ::asio;
#else
inline namespace with_boost_asio {
namespace asio_detail {
namespace net = ::boost::asio;
#endif

#if defined(ASIO_VERSION) ? __has_include(<asio/associated_cancellation_slot.hpp>) \
                          : __has_include(<boost/asio/associated_cancellation_slot.hpp>)
template <class Handler, class Cancel>
void on_cancellation(const Handler& handler, Cancel cancel) {
    auto slot = net::get_associated_cancellation_slot(handler);
    if (slot.is_connected())
        slot.assign([cancel = std::move(cancel)](net::cancellation_type type) {
            if (type != net::cancellation_type::none) cancel();
        });
}
template <class Handler>
void forget_cancellation(const Handler& handler) {
    auto slot = net::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) slot.clear();
}
#else
template <class Handler, class Cancel>
void on_cancellation(const Handler&, const Cancel&) {}
template <class Handler>
void forget_cancellation(const Handler&) {}
#endif

#if defined(ASIO_VERSION) ? __has_include(<asio/deferred.hpp>) : __has_include(<boost/asio/deferred.hpp>)
using DefaultCompletion = net::deferred_t;
#elif defined(ASIO_VERSION) ? defined(ASIO_HAS_CO_AWAIT) : defined(BOOST_ASIO_HAS_CO_AWAIT)
using DefaultCompletion = net::use_awaitable_t<>;
#else
struct DefaultCompletion; // There is none.
#endif

/// The operations that wait on behalf of one context. Whoever takes one out of it first has it: the one who completes
/// it, or the context, which abandons it as it is destroyed.
class Pending {
public:
    class Operation {
    public:
        Operation() = default;
        Operation(Operation&&) = delete;
        virtual ~Operation() = default;
        virtual void abandon() = 0;
    };

    void add(std::shared_ptr<Operation> operation) {
        const std::lock_guard lock(mutex_);
        Operation* key = operation.get();
        all_.emplace(key, std::move(operation));
    }
    /// Calls `with`, unless somebody else has taken the operation. The context lives until it has returned.
    template <class With>
    void take(Operation* operation, With&& with) {
        std::shared_ptr<Operation> taken; // whose end is outside the lock
        const std::lock_guard lock(mutex_);
        const auto found = all_.find(operation);
        if (found == all_.end()) return;
        taken = std::move(found->second);
        all_.erase(found);
        with();
    }
    /// Calls `with` if the operation is still there, and leaves it there.
    template <class With>
    void use(Operation* operation, With&& with) {
        const std::lock_guard lock(mutex_);
        if (all_.find(operation) != all_.end()) with();
    }
    void abandon() {
        std::unordered_map<Operation*, std::shared_ptr<Operation>> all;
        {
            const std::lock_guard lock(mutex_);
            all.swap(all_);
        }
        for (auto& [key, operation] : all) operation->abandon();
    }

private:
    // Recursive: an executor of a user's may run what is posted at once, which may start the next operation.
    std::recursive_mutex mutex_;
    std::unordered_map<Operation*, std::shared_ptr<Operation>> all_;
};

/// What a context has of it: its end abandons the operations.
class PendingService : public net::execution_context::service {
public:
    using key_type = PendingService;
    static inline net::execution_context::id id{};

    explicit PendingService(net::execution_context& context) : net::execution_context::service(context) {}
    [[nodiscard]] const std::shared_ptr<Pending>& pending() const noexcept { return pending_; }

private:
    void shutdown() override { pending_->abandon(); }

    std::shared_ptr<Pending> pending_ = std::make_shared<Pending>();
};

using Context = net::execution_context;
using ContextProperty = net::execution::context_as_t<Context&>;

template <class Executor, class = void>
struct has_context : std::false_type {};
template <class Executor>
struct has_context<Executor, std::void_t<decltype(std::declval<const Executor&>().context())>> : std::true_type {};

/// nullptr for an executor without one.
template <class Executor>
Context* context_of(const Executor& executor) {
    if constexpr (net::can_query<const Executor&, ContextProperty>::value)
        return &net::query(executor, ContextProperty());
    else if constexpr (has_context<Executor>::value) return &executor.context();
    else return nullptr;
}

/// The handler's executor. Which one a handler without has is said here: it differs between the versions of asio.
template <class Handler>
using ExecutorOf = net::associated_executor_t<Handler, net::system_executor>;
template <class Handler>
ExecutorOf<Handler> executor_of(const Handler& handler) {
    return net::get_associated_executor(handler, net::system_executor());
}

/// Where operations on behalf of the executor are pending: in its context, or on their own.
template <class Executor>
std::shared_ptr<Pending> pending_of(const Executor& executor) {
    Context* context = asio_detail::context_of(executor);
    return context == nullptr ? std::make_shared<Pending>() : net::use_service<PendingService>(*context).pending();
}

/// Whether it is the executor of handlers that have none: its context lives until the process exits, and needs no thread
/// for them.
template <class Executor>
bool is_system(const Executor& executor) {
    return asio_detail::context_of(executor) == asio_detail::context_of(net::system_executor());
}

/// What an operation waits for, and how its handler is called with it.
struct End {
    using Signature = void(std::exception_ptr, Reply);
    using Awaited = detail::End;

    template <class Handler>
    static bool complete(Handler&& handler, palitra_token, Reply reply) {
        std::exception_ptr failure = reply.exception();
        std::forward<Handler>(handler)(std::move(failure), std::move(reply));
        return true;
    }
};
struct Item {
    using Signature = void(std::exception_ptr, std::optional<Reply>);
    using Awaited = detail::ItemReady;

    /// Returns false if another reader was faster: then it is to wait for the next.
    template <class Handler>
    static bool complete(Handler&& handler, palitra_token token, Reply reply) {
        if (reply) reply = *detail::next(token, std::chrono::seconds(0));
        if (reply.status() == Status::pending) return false;
        if (reply.status() == Status::end) std::forward<Handler>(handler)(std::exception_ptr(), std::nullopt);
        else if (!reply) std::forward<Handler>(handler)(reply.exception(), std::nullopt);
        else std::forward<Handler>(handler)(std::exception_ptr(), std::move(reply));
        return true;
    }
};

template <class Of, class Handler>
class Operation;

/// A handler and its reply, posted to the handler's executor.
template <class Of, class Handler>
class Completion {
public:
    using executor_type = ExecutorOf<Handler>;
    using allocator_type = net::associated_allocator_t<Handler>;

    Completion(Handler handler, palitra_token token, Reply reply)
        : handler_(std::move(handler)), token_(token), reply_(std::move(reply)) {}

    executor_type get_executor() const noexcept { return asio_detail::executor_of(handler_); }
    allocator_type get_allocator() const noexcept { return net::get_associated_allocator(handler_); }

    void operator()() {
        // Not where the job finished: a slot belongs to its handler's thread.
        asio_detail::forget_cancellation(handler_);
        if (!Of::complete(std::move(handler_), token_, std::move(reply_)))
            Operation<Of, Handler>::start(std::move(handler_), Token(), token_);
    }

private:
    Handler handler_;
    palitra_token token_;
    Reply reply_;
};

/// An operation that waits: the handler, the token if the operation owns it, and the executor's work guard.
template <class Of, class Handler>
class Operation final : public Pending::Operation, public std::enable_shared_from_this<Operation<Of, Handler>> {
public:
    Operation(Handler handler, Token token, palitra_token raw)
        : work_(asio_detail::executor_of(handler)),
          is_system_(asio_detail::is_system(work_->get_executor())),
          pending_(asio_detail::pending_of(work_->get_executor())),
          handler_(std::move(handler)),
          token_(std::move(token)),
          raw_(raw) {}

    static void start(Handler handler, Token token, palitra_token raw) {
        auto operation = std::make_shared<Operation>(std::move(handler), std::move(token), raw);
        operation->pending_->add(operation);
        asio_detail::on_cancellation(*operation->handler_, [weak = operation->weak_from_this()] {
            if (const auto pending = weak.lock()) pending->cancel();
        });
        detail::promise<typename Of::Awaited>(
            raw, [operation](Reply reply, detail::Kept where) { operation->finish(std::move(reply), where); });
    }

    void abandon() override {
        // The token last: what the handler owns may use it.
        const Token token = std::move(token_);
        handler_.reset();
        work_.reset();
    }

private:
    using Work = net::executor_work_guard<ExecutorOf<Handler>>;

    void cancel() {
        if (token_) palitra_token_cancel(raw_);
        else finish(Reply(Status::cancelled), detail::Kept::at_once);
    }

    void finish(Reply reply, detail::Kept where) {
        std::optional<Completion<Of, Handler>> here;
        pending_->take(this, [&] {
            here.emplace(std::move(*handler_), raw_, std::move(reply));
            handler_.reset();
            // While the context lives.
            if (!is_system_) net::post(*std::exchange(here, std::nullopt));
            work_.reset();
        });
        if (!here) return;
        // Within the initiating function no handler may run.
        if (where == detail::Kept::on_runner) net::dispatch(std::move(*here));
        else net::post(std::move(*here));
    }

    std::optional<Work> work_;
    bool is_system_;
    std::shared_ptr<Pending> pending_;
    std::optional<Handler> handler_;
    Token token_;
    palitra_token raw_;
};

template <class Of>
struct Initiation {
    /// For what asks an initiation for one, as asio::cancel_after does for its timer.
    using executor_type = net::system_executor;
    [[nodiscard]] executor_type get_executor() const noexcept { return {}; }

    /// Waits for a token that the operation owns, or for one that the caller keeps.
    template <class Handler>
    void operator()(Handler&& handler, Token token) const {
        const palitra_token raw = token.get();
        Operation<Of, std::decay_t<Handler>>::start(std::forward<Handler>(handler), std::move(token), raw);
    }
    template <class Handler>
    void operator()(Handler&& handler, palitra_token raw) const {
        Operation<Of, std::decay_t<Handler>>::start(std::forward<Handler>(handler), Token(), raw);
    }
    /// Waits for a job that was just started, or completes with its reply.
    template <class Handler>
    void operator()(Handler&& handler, Started started) const {
        if (!started.is_ready()) return (*this)(std::forward<Handler>(handler), std::move(started.token()));
        net::post(Completion<Of, std::decay_t<Handler>>(std::forward<Handler>(handler), palitra_token{},
                                                        std::move(started.reply())));
    }
};

template <class CompletionToken, class Of, class What>
auto initiate(CompletionToken& completion, Of, What&& what) {
    return net::async_initiate<CompletionToken, typename Of::Signature>(Initiation<Of>(), completion,
                                                                        std::forward<What>(what));
}

/// Posts work to an executor, as long as its context lives. Copies share it.
template <class Executor>
class Poster {
public:
    explicit Poster(const Executor& executor) : link_(std::make_shared<Link>(executor)) {}

    template <class Work>
    void operator()(Work work) const {
        link_->post(std::move(work));
    }

private:
    static auto track(const Executor& executor) {
        return net::prefer(executor, net::execution::outstanding_work.tracked);
    }

    /// What the context abandons.
    struct Tracked final : Pending::Operation {
        explicit Tracked(const Executor& wanted) : executor(track(wanted)) {}
        void abandon() override { executor.reset(); }
        std::optional<decltype(track(std::declval<const Executor&>()))> executor;
    };

    /// Ends with the last copy.
    class Link {
    public:
        explicit Link(const Executor& executor)
            : tracked_(std::make_shared<Tracked>(executor)), pending_(asio_detail::pending_of(executor)) {
            pending_->add(tracked_);
        }
        Link(Link&&) = delete;
        ~Link() {
            pending_->take(tracked_.get(), [this] { tracked_->executor.reset(); });
        }
        template <class Work>
        void post(Work work) {
            pending_->use(tracked_.get(), [&] { net::post(*tracked_->executor, std::move(work)); });
        }

    private:
        std::shared_ptr<Tracked> tracked_;
        std::shared_ptr<Pending> pending_;
    };

    std::shared_ptr<Link> link_;
};

template <class Completion>
using if_completion = std::enable_if_t<!std::is_convertible_v<Completion&&, const SubmitOptions&>>;

} // namespace asio_detail

/// Waits for a job, as Token::wait does. The operation owns the token from now on.
template <class Completion = asio_detail::DefaultCompletion>
auto async_wait(Token&& token, Completion&& completion = Completion()) {
    return asio_detail::initiate(completion, asio_detail::End(), std::move(token));
}
/// The same for a token that the caller keeps: destroying it while it is pending completes with Status::invalid_handle.
template <class Completion = asio_detail::DefaultCompletion>
auto async_wait(const Token& token, Completion&& completion = Completion()) {
    return asio_detail::initiate(completion, asio_detail::End(), token.get());
}

/// Starts a job at once, as Runner::start does, and waits for it. If it is refused, the operation completes with the
/// reason.
template <class Completion = asio_detail::DefaultCompletion, class = asio_detail::if_completion<Completion>>
auto async_run(const Runner& runner, std::string_view job, Payload payload = {},
               Completion&& completion = Completion()) {
    return asio_detail::initiate(completion, asio_detail::End(), runner.start(job, payload));
}
template <class Completion = asio_detail::DefaultCompletion>
auto async_run(const Runner& runner, std::string_view job, Payload payload, const SubmitOptions& options,
               Completion&& completion = Completion()) {
    return asio_detail::initiate(completion, asio_detail::End(), runner.start(job, payload, options));
}

/// Waits for the next item of a token that the caller keeps. There is none after the last. One reader at a time.
template <class Completion = asio_detail::DefaultCompletion>
auto async_next(const Token& token, Completion&& completion = Completion()) {
    return asio_detail::initiate(completion, asio_detail::Item(), token.get());
}

/// An asio executor as resume_on takes it, for coroutines that are not asio's. Its context has outstanding work as long
/// as a coroutine waits. If the context is destroyed before, the coroutine does not resume.
///
///     co_await palitra::resume_on(palitra::post_to(io.get_executor()), token);
template <class Executor>
[[nodiscard]] auto post_to(const Executor& executor) {
    return asio_detail::Poster<Executor>(executor);
}

} // namespace with_asio or with_boost_asio
} // namespace palitra

#include "names_end.inc"

#endif
