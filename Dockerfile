FROM python:3.12-slim

WORKDIR /app
# First, so that a change of the code does not fetch TensorFlow again.
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt

COPY .streamlit .streamlit
COPY core core
COPY pages pages
COPY streamlit_app.py .
# Whoever runs the app may not write here, so what Python keeps of compiled modules is made now.
RUN python -m compileall -q core pages

RUN useradd --create-home plateau
USER plateau
ENV PYTHONUNBUFFERED=1

EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", \
  "from urllib.request import urlopen; urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["streamlit", "run", "streamlit_app.py", "--server.address=0.0.0.0", "--server.headless=true"]
