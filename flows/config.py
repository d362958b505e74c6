"""The one configuration: its values, where each comes from, and the secrets among them.

A value is taken from the first of these that has it: flags (or the parameters of a run), the environment
(`PFOCR_RDF_OUT`, `PFOCR_RDF_STORES__MAIN__PASSWORD`), Prefect (variable `pfocr_rdf_out`, Secret block
`pfocr-rdf-stores-main-password`), the file (`PFOCR_RDF_CONFIG`, else `pfocr-rdf.toml` of the working directory), the
default. Prefect is asked when a server is set. A message of an error names the setting, never its value.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from pfocr_rdf.errors import UsageError
from pfocr_rdf.extract import git
from pfocr_rdf.stores import http

from .parameters import Model, Nightly

FILE = "pfocr-rdf.toml"
NAMED = "PFOCR_RDF_CONFIG"
"""The environment variable that names another file."""

OTHERS = {NAMED, "PFOCR_RDF_PURE", "PFOCR_RDF_VIRTUOSO_SQL"}
"""Variables of the same prefix that are no settings of the flows."""

HIDDEN = "********"
_SECRET_BLOCK = re.compile(r"pfocr-rdf-stores-(?P<store>.+)-(?P<field>password|user)")


def _without_secrets(address: str | None) -> str | None:
    place = urlsplit(re.sub(r"^[a-z]+:(?=\w+://)", "", address or ""))
    if place.password or (place.username and place.scheme in ("http", "https")):  # there it may be a token
        raise ValueError("holds a user name or a password; put it into the setting of its own")
    return address


def _words(value: Any) -> Any:
    return [word for word in re.split(r"[\s,]+", value) if word] if isinstance(value, str) else value


Address = Annotated[str, AfterValidator(_without_secrets)]
Words = Annotated[list[Address], NoDecode, BeforeValidator(_words)]
Asked = TypeVar("Asked", bound=Model)
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
StoreName = Annotated[str, Field(pattern=f"^{_NAME.pattern}$")]


class Store(BaseModel):
    """A triple store that releases are loaded into."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Address = Field(description="Its address, as `pfocr-rdf load --to` takes it.")
    user: str | None = Field(None, description="Who may change it.")
    password: SecretStr | None = Field(None, description="Their password.")


class Configuration(Nightly, BaseSettings):
    """The parameters of the flows, and what is not for Prefect's pages: when they run, stores by name, secrets."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, env_prefix="PFOCR_RDF_", env_nested_delimiter="__"
    )

    source: Address = Nightly.model_fields["source"]  # type: ignore[assignment]
    to: Words = Nightly.model_fields["to"]  # type: ignore[assignment]
    graphs: Words = Nightly.model_fields["graphs"]  # type: ignore[assignment]
    cron: str = Field("15 3 * * *", description="When the nightly run starts.")
    timezone: str = Field("UTC", description="The time zone of `cron`.")
    stores: dict[StoreName, Store] = Field({}, description="Stores by name.")
    store_user: str | None = Field(None, description="Who may change stores that are not named.")
    store_password: SecretStr | None = Field(None, description="Their password.")
    git_token: SecretStr | None = Field(None, description="Lets git read a source that is not public, over https.")

    DEFAULT: ClassVar[str] = "default"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `load` gives: it overlays the sources itself, to know where each value comes from."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @model_validator(mode="before")
    @classmethod
    def _none(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Read the text `none` as no value, where one may lack: neither TOML nor the environment has another way."""
        lacking = {name for name, field in cls.model_fields.items() if type(None) in get_args(field.annotation)}
        return {name: None if value == "none" and name in lacking else value for name, value in values.items()}

    @field_validator("cron", "timezone")
    @classmethod
    def _when(cls, value: str, info: ValidationInfo) -> str:
        """See that the schedule is one; it is used much later."""
        from prefect.client.schemas.schedules import CronSchedule

        try:
            CronSchedule(**{"cron": "0 0 * * *", str(info.field_name): value})
        except ValueError:
            raise ValueError("cannot be; write cron like `15 3 * * *`, timezone like Europe/Amsterdam") from None
        return value

    def addresses(self) -> list[str]:
        """Return the addresses of `to`, each name of a store replaced by its URL.

        Raises `UsageError` for what looks like a name and is no store's, nor a folder that is there.
        """
        for place in self.to:
            if place not in self.stores and _NAME.fullmatch(place) and not Path(place).exists():
                raise UsageError(f"to: no store has the name {place!r} in the configuration; a new folder is ./{place}")
        return [self.stores[place].url if place in self.stores else place for place in self.to]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration, and for each value that was given (`stores.main.url`) where it comes from."""

    values: Configuration
    origins: Mapping[str, str]

    def rows(self) -> list[dict[str, Any]]:
        """Return each setting with its value (secrets hidden), where it comes from, and what it is."""
        return [
            {"name": name, "value": value, "from": self.origins.get(name, Configuration.DEFAULT), "about": about}
            for name, value, about in _shown("", self.values)
        ]


def load(flags: Mapping[str, Any] | None = None) -> Loaded:
    """Return the configuration of this process; `flags` win over all else.

    Raises `UsageError` for a value that cannot be, an unknown name, a file that others may read although it holds a
    secret, or a Prefect server that does not answer.
    """
    file = Path(os.environ.get(NAMED) or FILE)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, given in (
        (str(file), _file(file)),
        ("Prefect", _remote()),
        ("environment", _environment()),
        ("flag", dict(flags or {})),
    ):
        for path, value in _leaves("", given):
            _put(values, path.split("."), value)
            origins[path] = origin
    try:
        return Loaded(Configuration(**values), origins)
    except ValidationError as error:
        raise wrong(error, origins) from None


@contextmanager
def configured(asked: Asked) -> Iterator[Asked]:
    """Yield what a flow is asked, filled up from the configuration; meanwhile secrets are where stores and git look.

    Raises `UsageError` as `load` does.
    """
    found = load(asked.model_dump(exclude_unset=True, include=set(Configuration.model_fields)))
    given = {
        name: getattr(found.values, name)
        for name in type(asked).model_fields
        if name in Configuration.model_fields and any(path.split(".")[0] == name for path in found.origins)
    }
    if "to" in given:
        given["to"] = found.values.addresses()
    try:
        whole = type(asked)(**asked.model_dump(exclude_unset=True) | given)
    except ValidationError as error:
        raise wrong(error, found.origins) from None
    with in_environment(found.values):
        yield whole


@contextmanager
def in_environment(values: Configuration) -> Iterator[None]:
    """Let stores and git find their secrets, which they look for in the environment, while the block lasts."""
    wanted = {http.USER: values.store_user, http.PASSWORD: _plain(values.store_password)}
    wanted[git.TOKEN] = _plain(values.git_token)
    for name, store in values.stores.items():
        begin = f"{http.STORES}{name.upper()}__"
        wanted |= {f"{begin}URL": store.url, f"{begin}USER": store.user, f"{begin}PASSWORD": _plain(store.password)}
    before = {name: os.environ.get(name) for name in wanted}
    _set(wanted)
    try:
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _file(path: Path) -> dict[str, Any]:
    """Return what the file says; nothing when it is not there and nobody named it."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
        mode = path.stat().st_mode
    except FileNotFoundError:
        if os.environ.get(NAMED):
            raise UsageError(f"{path}: no such file, which {NAMED} names") from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"is no TOML: {error}"
        raise UsageError(f"{path}: {reason}") from None
    if mode & 0o007 and any(_is_secret(name) for name, _ in _leaves("", given)):
        raise UsageError(f"{path}: holds a secret and may be read by everybody: chmod 640 {path}")
    return given


def _environment() -> dict[str, Any]:
    prefix = str(Configuration.model_config["env_prefix"])
    for name in sorted(os.environ):
        setting = name.removeprefix(prefix).partition("__")[0].lower()
        if name.startswith(prefix) and name not in OTHERS and setting not in Configuration.model_fields:
            raise UsageError(f"{name} (environment): there is no such setting; `pfocr-rdf config` shows the others")
    try:
        return dict(EnvSettingsSource(Configuration)())
    except SettingsError as error:
        raise UsageError(f"the environment: {' '.join(str(error).split())}") from None


def need_server() -> None:
    """Raise `UsageError` where a Prefect server is set that does not answer."""
    _remote()


def _remote() -> dict[str, Any]:
    """Return what variables and Secret blocks of the Prefect server say, if one is set."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import VariableFilter, VariableFilterName
    from prefect.exceptions import ObjectNotFound
    from prefect.settings import get_current_settings

    address = get_current_settings().api.url
    if not address:
        return {}
    begin = VariableFilter(name=VariableFilterName(like_="pfocr_rdf_%"))
    values: dict[str, Any] = {}
    try:
        with get_client(sync_client=True) as client:
            variables = client._client.post("/variables/filter", json={"variables": begin.model_dump(mode="json")})
            variables.raise_for_status()
            try:
                blocks = client.read_block_documents_by_type("secret", include_secrets=True)
            except ObjectNotFound:  # no Secret block was ever made
                blocks = []
    except Exception as error:
        raise UsageError(f"Prefect at {address}: does not answer ({type(error).__name__}); is it running?") from None
    for variable in variables.json():
        name = variable["name"].removeprefix("pfocr_rdf_")
        if name != variable["name"]:
            _put(values, name.split("__"), variable["value"])
    for block in blocks:
        if path := _setting(block.name or ""):
            _put(values, path, block.data.get("value"))
    return values


def _setting(block: str) -> list[str]:
    """Return the setting that a Secret block of a name holds, as a path; empty for a block of others."""
    if found := _SECRET_BLOCK.fullmatch(block):
        return ["stores", found["store"].replace("-", "_"), found["field"]]
    name = block.removeprefix("pfocr-rdf-")
    return [name.replace("-", "_")] if name != block else []


def _leaves(above: str, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in given.items():
        path = f"{above}.{name}" if above else str(name)
        if isinstance(value, Mapping):
            yield from _leaves(path, value)
        else:
            yield path, value


def _put(values: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        below = values.setdefault(name, {})
        if not isinstance(below, dict):
            raise UsageError(f"{name}: is a value in one place and a table in another")
        values = below
    values[path[-1]] = value


def _is_secret(path: str) -> bool:
    name = path.rpartition(".")[2]
    return name == "password" or name in _SECRETS


def _shown(above: str, model: BaseModel) -> Iterator[tuple[str, Any, str]]:
    for name, field in type(model).model_fields.items():
        path, value = f"{above}{name}", getattr(model, name)
        if name == "stores" and value:
            for store, inner in value.items():
                yield from _shown(f"{path}.{store}.", inner)
            continue
        plain = HIDDEN if isinstance(value, SecretStr) else str(value) if isinstance(value, Path) else value
        yield path, plain, field.description or ""


def wrong(error: ValidationError, origins: Mapping[str, str]) -> UsageError:
    """Say in one line which setting is wrong, and where it was given; never its value, which may be a secret."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    path = ".".join(str(part) for part in first["loc"] if part != "[key]")
    near = [name for name in origins if f"{name}.".startswith(f"{path}.")] or [
        name for name in origins if first["type"] == "missing" and name.rpartition(".")[0] == path.rpartition(".")[0]
    ]
    origin = origins[near[0]] if near else ""
    what = (
        "there is no such setting" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
    )
    return UsageError(f"{path}{f' ({origin})' if origin else ''}: {what}; `pfocr-rdf config` shows the others")


_SECRETS = {name for name, field in Configuration.model_fields.items() if "SecretStr" in str(field.annotation)}
